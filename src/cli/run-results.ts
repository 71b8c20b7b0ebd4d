import { join } from "node:path";
import { kindOfPath } from "../base/folder.ts";
import { readResults } from "../evaluation/runs/merge.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import { planPath } from "../evaluation/runs/run-folder.ts";
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

/**
 * The run folders at a path: the path itself, or the folders that a run of both protocols made below it.
 * What is no run's folder is given back as it is, to be refused by whoever reads it.
 */
export async function runFolders(path: string): Promise<string[]> {
  if ((await kindOfPath(planPath(path))) === "file") return [path];
  const below: string[] = [];
  for (const protocol of PROTOCOLS) {
    const folder = join(path, protocol);
    if ((await kindOfPath(planPath(folder))) === "file") below.push(folder);
  }
  return below.length === 0 ? [path] : below;
}

/** The merged results of several run folders. */
export async function resultsOf(folders: readonly string[]): Promise<StoredResult[]> {
  const results: StoredResult[] = [];
  for (const folder of folders) results.push(...(await readResults(folder)));
  return results;
}

/** A leaderboard per task and setting, for the terminal. */
export function resultsText(results: readonly StoredResult[]): string {
  return panelsOf(results)
    .map((panel) => plainTable(leaderboardTable(panel, panelTitle(titleOf(panel.task), panel))))
    .join("\n\n");
}

const titleOf = (name: string) => TASKS.find((task) => task.name === name)?.title ?? name;
