import { NETWORKS } from "../../models/baselines/networks.ts";
import { checkpointName } from "../../models/language/card.ts";
import { LANGUAGE_MODELS } from "../../models/language/catalogue.ts";
import type { CellResult } from "../runs/result.ts";
import { TASKS } from "../tasks/catalogue.ts";
import { recipeFor } from "../tasks/deviations.ts";
import type { Recipe } from "../tasks/recipe.ts";
import { benchmarkDataOf } from "./benchmark-data.ts";
import {
  type MeasuredValue,
  measuredValue,
  PRINTED_TOLERANCE,
  type PublishedResult,
} from "./published-result.ts";

/** A published number next to ours. */
export interface Comparison {
  readonly published: PublishedResult;
  readonly own: MeasuredValue;
}

/** Settings whose answers follow from the model and the data alone: a published number should be reproduced exactly. */
const DETERMINISTIC = new Set(["zero-shot", "zero-shot-embedding", "predicted"]);

/** Whether a published number of this setting should be reproduced; two training runs differ. */
export const isDeterministic = (setting: string): boolean => DETERMINISTIC.has(setting);

type Compared = Pick<CellResult, "cell" | "family" | "checkpoint" | "origins">;

/**
 * Why no published number may stand next to a cell's: its protocol, data, split, recipe or model is not that of the published
 * one. Undefined where all of them fit; a cell of fewer rows fits.
 */
export function whyNotComparable(result: Compared): string | undefined {
  const data = benchmarkDataOf(result);
  if ("why" in data) return data.why;
  return whyAnotherModel(result, data.dataset) ?? whyAnotherProcedure(result);
}

/** The published procedure: the authors' scripts, with the rows and the recipe that the setting has without a user's changes. */
function whyAnotherProcedure({ cell, family }: Compared): string | undefined {
  const { task, setting, protocol, split } = cell;
  const form = TASKS.find(({ name }) => name === task)?.settings[setting];
  if (form === undefined) return `${task} has no setting ${setting}`;
  if (split !== form.defaultSplit)
    return `rows of the ${split} split, not of the published ${form.defaultSplit}`;
  const published: Recipe = recipeFor(form, { task, setting, family, protocol });
  const changed = Object.entries(published).filter(([name, value]) => cell.recipe[name] !== value);
  if (changed.length > 0) {
    const changes = changed.map(
      ([name, value]) => `${name} ${String(cell.recipe[name])} instead of ${String(value)}`,
    );
    return `another recipe: ${changes.join(", ")}`;
  }
  if (protocol === "paper") return undefined;
  return "the published values are those of the authors' scripts, which only the paper protocol follows";
}

function whyAnotherModel(
  { cell: { task, model }, family, checkpoint }: Compared,
  dataset: string | null,
): string | undefined {
  if (family === undefined) return `${model.name} is of no family with published values`;
  const network = NETWORKS.find(({ name }) => name === family);
  if (network !== undefined) {
    return model.identity === network.identity ? undefined : `${model.name} is not the benchmark's ${family}`;
  }
  const card = LANGUAGE_MODELS.find(({ name }) => name === family);
  if (card !== undefined) {
    const published = card.checkpoints.find(({ usedByDartEval }) => usedByDartEval);
    const wanted = published === undefined ? card.title : checkpointName(published);
    return checkpoint === wanted ? undefined : `${model.name} is not known to be ${wanted}`;
  }
  // A column of the table itself, declared as this family's; the files of the networks have no published digests.
  if (family === "chrombpnet" && task === "variant-effects" && isScoreTable(model.identity)) return undefined;
  const where = dataset === null ? "" : ` of ${dataset}`;
  return `${model.name} is not known to be the published ${family}${where}`;
}

const isScoreTable = (identity: string | null) => identity?.startsWith("activity scores ") ?? false;

/** Numbers that depend on how many rows there are of each kind: those of a sample are not comparable. */
const OF_WHOLE_TABLES: ReadonlySet<string> = new Set([
  "auprc",
  "mannwhitney_p_less",
  "spearman_all",
  "pearson_all",
]);

/**
 * Every published number of a cell's task, setting, data set and model, next to ours: that of the paper, and those of
 * notebooks and later runs, each with its source. Empty where `whyNotComparable` has a reason.
 */
export function comparePublished(
  result: CellResult,
  published: readonly PublishedResult[],
): readonly Comparison[] {
  const { cell, family } = result;
  if (whyNotComparable(result) !== undefined) return [];
  const data = benchmarkDataOf(result);
  const dataset = "dataset" in data ? data.dataset : null;
  const fewer = cell.sample !== undefined || cell.limit !== null;
  return published.flatMap((one) => {
    const ofCell =
      one.unplaced === null &&
      one.task === cell.task &&
      one.setting === cell.setting &&
      one.family === family &&
      (dataset === null || one.dataset === dataset) &&
      !(fewer && OF_WHOLE_TABLES.has(one.metric));
    const own = ofCell ? measuredValue(result, one) : undefined;
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

/** How ours compares with a published number; undefined where ours is undefined. */
export type Agreement = "same" | "within the interval" | "another" | undefined;

/** Same within the tolerance of a printed number, or, of fewer rows or another training run, within our own interval. */
export function agreementWithPublished({ published, own }: Comparison): Agreement {
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
