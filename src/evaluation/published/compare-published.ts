import { NETWORKS } from "../../models/baselines/networks.ts";
import { checkpointName } from "../../models/language/card.ts";
import { BASELINES, LANGUAGE_MODELS } from "../../models/language/catalogue.ts";
import { type CustomForms, findSetting, findTask, type ModelFamily } from "../runs/forms.ts";
import type { CellResult } from "../runs/stored-results.ts";
import type { MeasuredValue } from "../tasks/benchmark.ts";
import { type Recipe, recipeFor } from "../tasks/recipe.ts";
import { benchmarkDataOf } from "./benchmark-data.ts";
import { measuredValue, PRINTED_TOLERANCE, type PublishedResult } from "./published-result.ts";

/** A published number and our value of the same metric. */
export interface Comparison {
  readonly published: PublishedResult;
  readonly own: MeasuredValue;
}

/**
 * True if a published value of this setting should be reproduced exactly: settings that train are not
 * deterministic.
 */
export const isDeterministic = (setting: string, forms?: CustomForms): boolean =>
  findSetting(setting, forms)?.readyAtOnce ?? false;

type Compared = Pick<CellResult, "cell" | "family" | "checkpoint" | "origins">;

/**
 * Reason why no published number is comparable with a cell: other data, model, split, recipe or protocol.
 * Undefined if one is; a cell with fewer rows is comparable.
 */
export function whyNotComparable(result: Compared, forms?: CustomForms): string | undefined {
  const data = benchmarkDataOf(result, forms);
  if ("why" in data) return data.why;
  return whyAnotherModel(result, data.dataset, forms) ?? whyAnotherProcedure(result, forms);
}

/** The published procedure is that of the authors' scripts, with the setting's default rows and recipe. */
function whyAnotherProcedure({ cell, family }: Compared, forms?: CustomForms): string | undefined {
  const { task, setting, protocol, split, context } = cell;
  const form = findTask(task, forms)?.settings[setting];
  if (form === undefined) return `${task} has no setting ${setting}`;
  if (context !== undefined) return `windows of ${context} bases, wider than the benchmark's`;
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
  { cell: { task, model }, family: name, checkpoint }: Compared,
  dataset: string | null,
  forms?: CustomForms,
): string | undefined {
  if (name === undefined) return `${model.name} is of no family with published values`;
  const network = NETWORKS.find((one) => one.name === name);
  if (network !== undefined) {
    return model.identity === network.identity ? undefined : `${model.name} is not the benchmark's ${name}`;
  }
  const families: readonly ModelFamily[] = [...(forms?.families ?? []), ...LANGUAGE_MODELS, ...BASELINES];
  const family = families.find((one) => one.name === name);
  if (family?.checkpoints !== undefined) {
    const published = family.checkpoints.find(({ usedByDartEval }) => usedByDartEval);
    const wanted = published === undefined ? family.title : checkpointName(published);
    return checkpoint === wanted ? undefined : `${model.name} is not known to be ${wanted}`;
  }
  // A column of the task's table, declared as this family's; files of networks have no published digests.
  const declared = findTask(task, forms)?.benchmark?.publishedScores === name;
  if (declared && isScoreTable(model.identity)) return undefined;
  const where = dataset === null ? "" : ` of ${dataset}`;
  return `${model.name} is not known to be the published ${name}${where}`;
}

const isScoreTable = (identity: string | null) => identity?.startsWith("activity scores ") ?? false;

/**
 * Metrics that depend on the proportion of positives or on the number of rows: those of a sample are not
 * comparable.
 */
const OF_WHOLE_TABLES: ReadonlySet<string> = new Set([
  "auprc",
  "mannwhitney_p_less",
  "spearman_all",
  "pearson_all",
]);

/**
 * Pairs the metrics of a cell with the published numbers of its task, setting, data set and model: those of
 * the paper, of notebooks and of later runs, each with its source. Empty where `whyNotComparable` has a
 * reason.
 */
export function comparePublished(
  result: CellResult,
  published: readonly PublishedResult[],
  forms?: CustomForms,
): readonly Comparison[] {
  const { cell, family } = result;
  if (whyNotComparable(result, forms) !== undefined) return [];
  const data = benchmarkDataOf(result, forms);
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
    const own = ofCell ? measuredValue(result, one, forms) : undefined;
    return own === undefined ? [] : [{ published: one, own }];
  });
}

/** The published number of a metric on a data set: the paper's if there is one, else a notebook's. */
export function publishedNumber(
  published: readonly PublishedResult[],
  key: Pick<PublishedResult, "task" | "setting" | "family" | "metric" | "dataset">,
): PublishedResult | undefined {
  const fields = ["task", "setting", "family", "metric", "dataset"] as const;
  const found = published.filter((one) => fields.every((field) => one[field] === key[field]));
  return found.toSorted((a, b) => rank(a) - rank(b))[0];
}

const rank = ({ kind, superseded }: PublishedResult) => (superseded ? 2 : kind === "paper" ? 0 : 1);

/** Agreement of our value with a published one; undefined where ours is undefined. */
export type Agreement = "same" | "within the interval" | "another" | undefined;

/**
 * Compares within the tolerance of a printed number, then within our interval, for samples and for other
 * training runs.
 */
export function agreementWithPublished({ published, own }: Comparison): Agreement {
  if (own.value === null) return undefined;
  if (Math.abs(own.value - published.value) <= toleranceOf(published) + 1e-12) return "same";
  const { interval } = own;
  const inside =
    interval !== undefined && published.value >= interval.low && published.value <= interval.high;
  return inside ? "within the interval" : "another";
}

/** Relative for counts and p-values, which are printed with all digits. */
function toleranceOf({ metric, value }: PublishedResult): number {
  const relative = Math.abs(value) > 1 || metric.includes("_p_");
  return relative ? PRINTED_TOLERANCE * Math.abs(value) : PRINTED_TOLERANCE;
}
