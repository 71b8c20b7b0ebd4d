import { findInHubCache } from "../../models/checkpoints/hub-cache.ts";
import { initCheckpoint, requireEmpty } from "../../models/checkpoints/init.ts";
import { tokenizerFilesFor } from "../../models/checkpoints/init-tokenizer.ts";
import { BASELINES, LANGUAGE_MODELS, languageModelCard, TOYS } from "../../models/language/catalogue.ts";
import { HUB_CHECKPOINTS } from "../../models/language/hub-checkpoints.ts";
import { hubCheckpointTable, modelSizes, modelSizeTable } from "../../report/model-tables.ts";
import { count } from "../../report/numbers.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, examples, wholeNumberOption } from "../command.ts";
import { defineModelsConform } from "./models/conform.ts";
import { defineModelsFetch, defineModelsVerify } from "./models/fetch.ts";

export const defineModels: DefineCommand = (command, context) => {
  command.description("Lists model families; creates, fetches and verifies checkpoints; tests adapters.");
  defineModelsList(command.command("list").summary("list model families and local checkpoints"), context);
  defineModelsInit(command.command("init").summary("write an untrained checkpoint"), context);
  defineModelsFetch(command.command("fetch").summary("download a pinned checkpoint and verify it"), context);
  defineModelsVerify(
    command.command("verify").summary("compare a checkpoint with the official code's output"),
    context,
  );
  defineModelsConform(
    command.command("conform").summary("test a model or adapter for common errors"),
    context,
  );
};

const defineModelsList: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Lists the model families and their published checkpoints, and whether these are on this machine.",
    )
    .option("--all", "print sizes, context, training data and GFLOP instead, and other public checkpoints")
    .option("--json", "print the list as JSON")
    .addHelpText(
      "after",
      examples({
        "all models": "dart-eval models list",
        "sizes and cost, and how to evaluate other public checkpoints": "dart-eval models list --all",
      }),
    )
    .action(async ({ json, all }: { json?: boolean; all?: boolean }) => {
      if (all && json) {
        return terminal.print(JSON.stringify({ sizes: modelSizes(), hub: HUB_CHECKPOINTS }, null, 2));
      }
      if (all) {
        terminal.print(plainTable(modelSizeTable()));
        return terminal.print(`\n${plainTable(hubCheckpointTable())}`);
      }
      const checkpoints = await listed();
      if (json) return terminal.print(JSON.stringify({ checkpoints, baselines: BASELINES }, null, 2));
      terminal.print(
        plainTable({
          caption: "Published checkpoints",
          columns: ["model", "repository", "revision", "licence", "local"].map((heading) => ({
            heading,
            align: "left",
          })),
          rows: checkpoints.map(({ model, repo, revision, licence, folder, usedByDartEval }) => [
            `${model}${usedByDartEval ? " *" : ""}`,
            repo,
            revision.slice(0, 8),
            licence,
            folder === null ? "no" : "yes",
          ]),
          notes: ["* evaluated by DART-Eval"],
        }),
      );
      const toys = LANGUAGE_MODELS.flatMap((card) =>
        Object.keys(card.toys).map((preset) => `${card.name} --preset ${preset}`),
      );
      terminal.print("\nWithout a download");
      for (const { name, answers } of BASELINES) terminal.print(`  ${name}: ${answers}`);
      for (const { name, title } of TOYS) {
        terminal.print(`  toy:${name}: a small ${title} trained on synthetic genomes`);
      }
      for (const toy of toys) terminal.print(`  dart-eval models init ${toy}: a small untrained model`);
    });
};

/** Published checkpoints with their local folders. */
async function listed() {
  return Promise.all(
    LANGUAGE_MODELS.flatMap((card) =>
      card.checkpoints.map(async ({ preset, repo, revision, usedByDartEval = false }) => ({
        model: `${card.name}/${preset}`,
        title: card.title,
        repo,
        revision,
        licence: card.licence,
        usedByDartEval,
        folder: (await findInHubCache({ repo, revision })) ?? null,
      })),
    ),
  );
}

interface InitOptions {
  readonly preset: string;
  readonly seed: number;
  readonly out: string;
  readonly tokenizer?: string;
  readonly json?: boolean;
}

const defineModelsInit: DefineCommand = (command, { terminal, signal }) => {
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
