import { setTimeout } from "node:timers/promises";
import { runFolders } from "../../evaluation/runs/run-folder.ts";
import { type RunStatus, runStatus } from "../../evaluation/runs/run-status.ts";
import { statusText } from "../../report/status-text.ts";
import { type DefineCommand, examples, shellWord, wholeNumberOption } from "../command.ts";

interface StatusOptions {
  readonly watch?: boolean;
  readonly every: number;
  readonly json?: boolean;
}

export const defineStatus: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .description(
      "Prints the state of a run on all machines that share its folder: rows, speed, time left, and shards that run, failed or stopped.",
    )
    .argument("<folder...>", "run folders")
    .option("--watch", "print again until all shards are done")
    .option("--every <seconds>", "with --watch: interval", wholeNumberOption(1), 5)
    .option("--json", "print JSON, one line each time")
    .addHelpText(
      "after",
      examples({
        "a run on a cluster": "dart-eval status runs/hyenadna",
        "every minute until it is done": "dart-eval status runs/hyenadna --watch --every 60",
      }),
    )
    .action(async (paths: string[], { watch, every, json }: StatusOptions) => {
      const folders = (await Promise.all(paths.map(runFolders))).flat();
      const counted = new Map();
      for (;;) {
        const runs: RunStatus[] = [];
        for (const folder of folders) runs.push(await runStatus(folder, counted));
        terminal.print(json ? JSON.stringify(runs) : statusText(runs));
        const cells = runs.flatMap((run) => run.cells);
        const done = cells.every(
          ({ shards }) => shards.length > 0 && shards.every(({ phase }) => phase === "done"),
        );
        if (done && cells.some(({ merged }) => !merged)) {
          terminal.say(`next: dart-eval merge ${shellWord(paths[0])}`);
        }
        if (done || !watch) return;
        await setTimeout(1000 * every, undefined, { signal });
        if (!json) terminal.print("");
      }
    });
};
