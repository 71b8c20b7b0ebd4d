import { join } from "node:path";
import type { StoredResult } from "../evaluation/runs/result.ts";
import { TASKS } from "../evaluation/tasks/catalogue.ts";
import type { Protocol } from "../models/model.ts";
import { leaderboardTable } from "../report/leaderboard.ts";
import { panelsOf, panelTitle } from "../report/panels.ts";
import { plainTable } from "../report/table.ts";

const PROTOCOLS = ["corrected", "paper"] as const satisfies readonly Protocol[];

/** Which protocols a word on the command line asks for, and the folder of each run: one is kept in `out` itself. */
export function protocolFolders(
  asked: Protocol | "both",
  out: string,
): { protocol: Protocol; folder: string }[] {
  if (asked !== "both") return [{ protocol: asked, folder: out }];
  return PROTOCOLS.map((protocol) => ({ protocol, folder: join(out, protocol) }));
}

/** A leaderboard per task and setting, for the terminal. */
export function resultsText(results: readonly StoredResult[]): string {
  return panelsOf(results)
    .map((panel) => plainTable(leaderboardTable(panel, panelTitle(titleOf(panel.task), panel))))
    .join("\n\n");
}

const titleOf = (name: string) => TASKS.find((task) => task.name === name)?.title ?? name;
