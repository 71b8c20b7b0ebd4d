import { languageModelCard } from "../../../models/catalogue.ts";
import { initCheckpoint } from "../../../models/init.ts";
import { count } from "../../../report/numbers.ts";
import { type DefineCommand, examples } from "../../command.ts";
import { wholeNumber } from "../../whole-number.ts";

interface InitOptions {
  readonly preset: string;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Writes an untrained checkpoint in the layout of the real ones: a control for the trained one, and a model to try things on.",
    )
    .argument("<family>", "such as hyenadna")
    .requiredOption("--preset <name>", "its size: that of a published checkpoint, or a toy")
    .requiredOption("--out <folder>", "a new or an empty folder")
    .option("--seed <number>", "the same seed gives the same bytes", wholeNumber(0), 0)
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      examples({
        "the untrained control": "dart-eval models init hyenadna --preset large-1m --seed 0 --out untrained",
      }),
    )
    .action(async (family: string, { preset, seed, out, json }: InitOptions) => {
      const made = await initCheckpoint(languageModelCard(family), { preset, seed, folder: out });
      terminal.print(
        json
          ? JSON.stringify(made)
          : `wrote ${made.folder}: ${count(made.parameters)} parameters, seed ${made.seed}`,
      );
    });
};
