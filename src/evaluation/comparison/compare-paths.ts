import { resolve } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import type { EstimatedMetric } from "../../metrics/estimate.ts";
import { runFolders } from "../runs/run-folder.ts";
import { readCellResult, readResults, type StoredResult } from "../runs/stored-results.ts";
import { type CompareOptions, compareResults } from "./compare-results.ts";
import { compareTables } from "./compare-tables.ts";
import type { ModelsCompared } from "./comparison.ts";

/** Options of `comparePaths`. */
export interface ComparePathsOptions extends Omit<CompareOptions, "sharedRows"> {
  /** Metric of score tables; see `compareTables`. */
  readonly metric?: EstimatedMetric;
}

/**
 * Compares models given by paths: merged runs, cells of runs, or tables of scores. Models that were evaluated
 * on different rows of the same data are compared on the rows that they share.
 *
 * @param paths  run folders (also of both protocols), cell folders, or tables; one given twice counts once
 * @throws {InputError} when a path is not a run, a cell or a table, when tables and runs are mixed, or when
 *         no two models can be compared
 */
export async function comparePaths(
  paths: readonly string[],
  { metric, ...options }: ComparePathsOptions = {},
): Promise<ModelsCompared> {
  const kinds = await Promise.all(paths.map(kindOfPath));
  const missing = kinds.indexOf(undefined);
  if (missing !== -1) throw new InputError("no such file or folder", { place: { file: paths[missing] } });
  const tables = paths.filter((_, i) => kinds[i] !== "folder");
  if (tables.length > 0 && tables.length < paths.length) {
    throw new InputError("a table of scores is compared with other tables only", {
      place: { file: tables[0] },
      hint: "to compare it with a run, evaluate it as a model: dart-eval run --model FILE.tsv",
    });
  }
  if (metric !== undefined && tables.length === 0) {
    throw new InputError("a metric can be chosen for tables of scores only", {
      hint: "runs are compared by the main metric of each task",
    });
  }
  const found =
    tables.length > 0
      ? await compareTables(tables, metric)
      : await compareResults(await resultsAt(paths), { ...options, sharedRows: true });
  if (found.groups.every(({ pairs }) => pairs.length === 0)) throw nothingToCompare(found);
  return found;
}

async function resultsAt(paths: readonly string[]): Promise<readonly StoredResult[]> {
  const folders = new Map(paths.map((path) => [resolve(path), path]));
  const results: StoredResult[] = [];
  for (const path of folders.values()) {
    const cell = await readCellResult(path);
    if (cell !== undefined) results.push(cell);
    else for (const run of await runFolders(path)) results.push(...(await readResults(run)));
  }
  return results;
}

function nothingToCompare({ groups, separate }: ModelsCompared): InputError {
  const [apart] = separate;
  const excluded = groups.flatMap(({ models }) => models.filter(({ why }) => why !== undefined))[0];
  const reason =
    apart !== undefined
      ? `: ${apart.task}, ${apart.setting}: ${apart.reasons.join("; ")}`
      : excluded !== undefined
        ? `: ${excluded.label}: ${excluded.why}`
        : "";
  return new InputError(
    `no two of these models can be compared${reason}`,
    apart === undefined && excluded !== undefined
      ? {}
      : { hint: "models are compared by the same task, setting and protocol, on the same data" },
  );
}
