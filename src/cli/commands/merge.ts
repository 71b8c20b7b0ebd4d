import { runFolders } from "../../evaluation/runs/run-folder.ts";
import { runResults } from "../../report/write-report.ts";
import { type DefineCommand, examples, shellWord } from "../command.ts";
import { mergeWithProgress } from "../run-progress.ts";
import { resultsText } from "../run-results.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal } = context;
  command
    .description("Puts the shards of a run together and computes its metrics.")
    .argument("<folder>", "what run --out was given")
    .option("--json", "print the results as JSON")
    .addHelpText(
      "after",
      examples({
        "after every shard has been run, on one machine or many": "dart-eval merge runs/hyenadna",
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
