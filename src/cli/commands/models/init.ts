import { initCheckpoint, requireEmpty } from "../../../models/checkpoints/init.ts";
import { tokenizerFilesFor } from "../../../models/checkpoints/init-tokenizer.ts";
import { languageModelCard } from "../../../models/language/catalogue.ts";
import { count } from "../../../report/numbers.ts";
import { type DefineCommand, examples, wholeNumberOption } from "../../command.ts";

interface InitOptions {
  readonly preset: string;
  readonly seed: number;
  readonly out: string;
  readonly tokenizer?: string;
  readonly json?: boolean;
}

export const defineModelsInit: DefineCommand = (command, { terminal, signal }) => {
  command
    .description(
      "Writes an untrained checkpoint in the layout of the published ones, as a control or for tests.",
    )
    .argument("<family>", "such as hyenadna")
    .requiredOption("--preset <name>", "size of a published checkpoint, or a toy")
    .requiredOption("--out <folder>", "a new or an empty folder")
    .option(
      "--seed <number>",
      "seed of the weights; the same seed gives the same bytes",
      wholeNumberOption(0),
      0,
    )
    .option(
      "--tokenizer <path>",
      "a tokenizer.json or a checkpoint folder (default: that of the published checkpoint, if the family needs one)",
    )
    .option("--json", "print the checkpoint as JSON")
    .addHelpText(
      "after",
      examples({
        "an untrained control": "dart-eval models init hyenadna --preset large-1m --seed 0 --out untrained",
        "with a local tokenizer":
          "dart-eval models init dnabert2 --preset 117m --tokenizer tokenizer.json --out untrained",
      }),
    )
    .action(async (family: string, { preset, seed, out, tokenizer: path, json }: InitOptions) => {
      const card = languageModelCard(family);
      await requireEmpty(out);
      const onWait = (why: string) => terminal.say(why);
      const { files, from } = await tokenizerFilesFor(card, { preset, path, signal, onWait });
      const made = await initCheckpoint(card, { preset, seed, folder: out, tokenizer: files });
      if (json) return terminal.print(JSON.stringify({ ...made, tokenizer: from ?? null }));
      terminal.print(`wrote ${made.folder}: ${count(made.parameters)} parameters, seed ${made.seed}`);
      if (from !== undefined) terminal.print(`tokenizer from ${from}`);
    });
};
