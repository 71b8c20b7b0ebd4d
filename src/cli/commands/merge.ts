import { mergeRun } from "../../evaluation/runs/merge.ts";
import { runFolders } from "../../evaluation/runs/run-folder.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import { type DefineCommand, examples, shellWord } from "../command.ts";
import { resultsText, showRunProgress } from "../run-progress.ts";

export const defineMerge: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
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
      context.resume = "Run the same command again to resume.";
      for (const one of folders) {
        using progress = showRunProgress(terminal);
        await mergeRun(one, { onProgress: progress.onProgress, signal });
      }
      const results = await runResults(folders);
      terminal.print(json ? JSON.stringify(results, null, 2) : resultsText(results));
      terminal.say(`next: dart-eval report ${shellWord(folder)} --out report.html`);
    });
};
