import { join } from "node:path";
import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import { TASKS } from "../evaluation/tasks/catalogue.ts";
import type { Protocol } from "../models/model.ts";
import { leaderboardTable } from "../report/leaderboard.ts";
import { panelsOf, panelTitle } from "../report/panels.ts";
import { plainTable } from "../report/table.ts";

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
