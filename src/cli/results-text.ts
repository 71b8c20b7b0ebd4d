import { readResults } from "../evaluation/runs/merge.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import { TASKS } from "../evaluation/tasks/catalogue.ts";
import { leaderboardTable } from "../report/leaderboard.ts";
import { panelsOf, panelTitle } from "../report/panels.ts";
import { plainTable } from "../report/table.ts";

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
