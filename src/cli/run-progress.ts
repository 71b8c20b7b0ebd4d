import { join } from "node:path";
import { counted } from "../base/message-text.ts";
import type { OnProgress, ProgressEvent } from "../evaluation/runs/progress.ts";
import type { ShardOutcome } from "../evaluation/runs/run-shard.ts";
import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import { TASKS } from "../evaluation/tasks/catalogue.ts";
import type { Protocol } from "../models/model.ts";
import { leaderboardTable } from "../report/leaderboard.ts";
import { count, duration } from "../report/numbers.ts";
import { panelsOf, panelTitle } from "../report/panels.ts";
import { plainTable } from "../report/table.ts";
import { type Progress, startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Progress of a run on the terminal. `stop` clears the bar, also when the value goes out of scope. */
interface RunProgress extends Disposable {
  readonly onProgress: OnProgress;
  stop(): void;
}

/** Shows the progress of a run, cell by cell. */
export function showRunProgress(terminal: Terminal): RunProgress {
  let progress: Progress | undefined;
  let stage: string | undefined;
  let cell: Extract<ProgressEvent, { kind: "cell-start" }> | undefined;
  const stop = () => {
    progress?.stop();
    progress = undefined;
  };
  const rowsOf = ({ rows, rowsDoneBefore }: Extract<ProgressEvent, { kind: "cell-start" }>) =>
    startProgress(terminal, { unit: "rows", total: rows, before: rowsDoneBefore });
  return {
    stop,
    [Symbol.dispose]: stop,
    onProgress(event) {
      switch (event.kind) {
        case "cell-start":
          stop();
          stage = undefined;
          cell = event;
          progress = rowsOf(event);
          break;
        case "stage":
          if (event.stage !== stage) {
            stop();
            stage = event.stage;
            terminal.say(`  ${stage}`);
            progress = startProgress(terminal, { unit: event.unit ?? "rows", total: event.total });
          }
          if (event.note !== undefined) terminal.say(`  ${event.note}`);
          progress?.update(event.done, event);
          break;
        case "batch":
          if (stage !== undefined && cell !== undefined) {
            stop();
            stage = undefined;
            progress = rowsOf(cell);
          }
          progress?.update(event.rowsDone);
          break;
        case "note":
          terminal.say(`note: ${event.text}`);
          break;
        case "cell-done":
          stop();
          break;
      }
    },
  };
}

/** `done 7f3a91c2: 400 rows in 12 s, 33 rows/s` */
export function outcomeText({ cell, rowsDone, rowsDoneBefore, seconds }: ShardOutcome): string {
  const rows = rowsDone - rowsDoneBefore;
  const speed = rows > 0 && seconds > 0 ? `, ${count(rows / seconds)} rows/s` : "";
  return `done ${cell}: ${counted(rows, "row")} in ${duration(seconds)}${speed}`;
}

const PROTOCOLS = ["corrected", "paper"] as const satisfies readonly Protocol[];

/** Protocols of the option --protocol with the folder of each run: `out` itself for a single one. */
export function protocolFolders(
  requested: Protocol | "both",
  out: string,
): { protocol: Protocol; folder: string }[] {
  if (requested !== "both") return [{ protocol: requested, folder: out }];
  return PROTOCOLS.map((protocol) => ({ protocol, folder: join(out, protocol) }));
}

/** Leaderboards for the terminal, one per task and setting. */
export function resultsText(results: readonly StoredResult[]): string {
  return panelsOf(results)
    .map((panel) => plainTable(leaderboardTable(panel, panelTitle(titleOf(panel.task), panel))))
    .join("\n\n");
}

const titleOf = (name: string) => TASKS.find((task) => task.name === name)?.title ?? name;
