import { runFolders } from "../../evaluation/runs/run-folder.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import { type DefineCommand, examples, shellWord } from "../command.ts";
import { mergeWithProgress, resultsText } from "../run-progress.ts";

export const defineMerge: DefineCommand = (command, context) => {
  const { terminal } = context;
  command
    .description("Merges the shards of a run and computes its metrics.")
    .argument("<folder>", "run folder")
    .option("--json", "print the results as JSON")
    .addHelpText(
      "after",
      examples({
        "after all shards, on one machine or several": "dart-eval merge runs/hyenadna",
      }),
    )
    .action(async (folder: string, { json }: { json?: boolean }) => {
      const folders = await runFolders(folder);
      for (const one of folders) await mergeWithProgress(one, context);
      const results = await runResults(folders);
      terminal.print(json ? JSON.stringify(results, null, 2) : resultsText(results));
      terminal.say(`next: dart-eval report ${shellWord(folder)} --out report.html`);
    });
};
