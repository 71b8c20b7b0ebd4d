import type { CellResult } from "../runs/result.ts";
import { isSameDataset } from "./names.ts";
import { type OwnValue, ownValue } from "./own-value.ts";
import { PRINTED_TOLERANCE, type PublishedResult } from "./published-result.ts";

/** A published number beside ours. */
export interface Comparison {
  readonly published: PublishedResult;
  readonly own: OwnValue;
}

/** Rows of the benchmark's own tables: fewer or others are another data set, whose numbers are not to be compared. */
const TABLE_ROWS: Readonly<Record<string, (rows: number) => boolean>> = {
  "regulatory-elements": (rows) => rows === 2_348_854,
  "motif-footprinting": (rows) => rows === 288_600,
  "cell-type-elements": (rows) => rows === 216_746,
  // Their numbers were never printed; the mini genomes of tests have some thousands.
  "chromatin-activity": (rows) => rows >= 50_000,
  "variant-effects": (rows) => rows === 219_382 || rows >= 28_308,
};

/** Settings whose answers follow from the model and the data alone, so that a printed number is to be met. */
const DETERMINISTIC = new Set(["zero-shot", "zero-shot-embedding", "predicted"]);

/** Whether a cell was asked of the benchmark's own data, as far as its number of rows tells. */
export const isOfBenchmark = ({ cell, rows }: Pick<CellResult, "cell" | "rows">): boolean =>
  TABLE_ROWS[cell.task]?.(rows.inTable) ?? false;

/** Whether a printed number of this setting is to be met, or only to be come near to: two trainings differ. */
export const isDeterministic = (setting: string): boolean => DETERMINISTIC.has(setting);

/**
 * What was published of a cell's task, setting, data set and family of models, each number once and beside ours: the paper's
 * where it printed one, else a notebook's.
 */
export function publishedBeside(
  result: CellResult,
  published: readonly PublishedResult[],
): readonly Comparison[] {
  const { cell, family } = result;
  const matching = published.filter(
    (one) =>
      one.task === cell.task &&
      one.setting === cell.setting &&
      one.family !== null &&
      one.family === family &&
      (cell.dataset === undefined || (one.dataset !== null && isSameDataset(one.dataset, cell.dataset))),
  );
  const best = new Map<string, PublishedResult>();
  for (const one of matching) {
    const key = JSON.stringify([one.metric, one.dataset]);
    const before = best.get(key);
    if (before === undefined || rank(one) < rank(before)) best.set(key, one);
  }
  return [...best.values()].flatMap((one) => {
    const own = ownValue(result, one);
    return own === undefined ? [] : [{ published: one, own }];
  });
}

/** The published number of one metric and data set: the paper's where it printed one, else a notebook's. */
export function publishedNumber(
  published: readonly PublishedResult[],
  key: Pick<PublishedResult, "task" | "setting" | "family" | "metric" | "dataset">,
): PublishedResult | undefined {
  const fields = ["task", "setting", "family", "metric", "dataset"] as const;
  const found = published.filter((one) => fields.every((field) => one[field] === key[field]));
  return found.toSorted((a, b) => rank(a) - rank(b))[0];
}

const rank = ({ kind, superseded }: PublishedResult) => (superseded ? 2 : kind === "paper" ? 0 : 1);

/** How ours stands to a published number; undefined where ours is undefined. */
export type Agreement = "same" | "within the interval" | "another" | undefined;

/**
 * Same within the tolerance of a printed number, or, of fewer rows or another training, within our own interval.
 */
export function agreement({ published, own }: Comparison): Agreement {
  if (own.value === null) return undefined;
  if (Math.abs(own.value - published.value) <= toleranceOf(published) + 1e-12) return "same";
  const { interval } = own;
  const inside =
    interval !== undefined && published.value >= interval.low && published.value <= interval.high;
  return inside ? "within the interval" : "another";
}

/** Counts and probabilities of tests are printed with all their digits, so that theirs is relative. */
function toleranceOf({ metric, value }: PublishedResult): number {
  const relative = Math.abs(value) > 1 || metric.includes("_p_");
  return relative ? PRINTED_TOLERANCE * Math.abs(value) : PRINTED_TOLERANCE;
}
