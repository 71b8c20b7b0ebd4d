import { z } from "zod";
import { InternalError } from "../../base/errors.ts";
import { readPackageFile } from "../../base/package.ts";
import { BASELINES, LANGUAGE_MODELS } from "../../models/language/catalogue.ts";
import { allSettings } from "../runs/forms.ts";
import type { TaskBenchmark } from "../tasks/benchmark.ts";
import { TASKS } from "../tasks/catalogue.ts";
import { isMeasured, type PublishedResult } from "./published-result.ts";

/** Index of a list in the file. */
const index = z.int().nonnegative();

const FIELDS = ["task", "setting", "model", "dataset", "cellLine", "metric", "value", "source", "note"];

const assetSchema = z.strictObject({
  format: z.literal("dart-eval published results"),
  formatVersion: z.literal(1),
  about: z.string(),
  fields: z.array(z.string()).refine((names) => String(names) === String(FIELDS), `expected ${FIELDS}`),
  datasets: z.array(z.string()),
  sources: z.array(z.string()),
  notes: z.array(z.string()),
  records: z.array(
    z.tuple([
      z.int().min(1).max(5),
      z.string(),
      z.string(),
      index.nullable(),
      z.string().nullable(),
      z.string(),
      z.number(),
      index,
      index.nullable(),
    ]),
  ),
});

/**
 * Reads all numbers that the authors of DART-Eval printed, in the tables of arXiv:2412.05430v1 and in their
 * notebooks.
 */
export async function readPublished(): Promise<readonly PublishedResult[]> {
  const file = "data/published-results.json";
  const { success, data, error } = assetSchema.safeParse(JSON.parse(await readPackageFile(file)));
  if (!success) throw new InternalError(`${file} is damaged: ${z.prettifyError(error)}`);
  const { datasets, sources, notes, records } = data;
  const at = (list: readonly string[], i: number) => {
    const text = list[i];
    if (text === undefined) throw new InternalError(`${file} has no entry ${i} of ${list.length}`);
    return text;
  };
  return records.map(([number, setting, model, dataset, cellLine, metric, value, source, note]) => {
    const task = TASKS.find((one) => one.number === number);
    if (task === undefined) throw new InternalError(`${file} names task ${number}`);
    const of = dataset === null ? null : at(datasets, dataset);
    const from = at(sources, source);
    const text = note === null ? null : at(notes, note);
    return {
      task: task.name,
      setting: settingOf(setting, task.benchmark),
      model,
      family: familyOf(model),
      of,
      dataset: cellLine ?? (of === null ? null : (task.benchmark?.publishedDatasets?.[of] ?? null)),
      metric,
      value,
      source: from,
      kind: from.startsWith("arXiv") ? "paper" : "notebook",
      edition: editionOf(from),
      unplaced: whyUnplaced(task.name, model, metric),
      note: text,
      superseded: text !== null && /^(Later re-run|Superseded|Typed into the plot code)/.test(text),
    };
  });
}

/** Names of the notebooks' revisions, by a pattern of the source. */
const REVISIONS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/commit 5d70bfe/, "Nov 2024"],
  [/literal values of a bar chart/, "Jan 2026, values of a plot"],
  [/commit 43de93d/, "Jan 2026"],
  [/earlier revision/, "earlier revision"],
  [/main branch/, "main branch"],
];

function editionOf(source: string): string {
  const table = /^arXiv \S+ .*?(Table \d+)/.exec(source)?.[1];
  if (table !== undefined) return table;
  const notebook = /\w+\.ipynb/.exec(source)?.[0] ?? "notebook";
  const revision = REVISIONS.find(([pattern]) => pattern.test(source))?.[1];
  return revision === undefined ? notebook : `${notebook}, ${revision}`;
}

function whyUnplaced(task: string, model: string, metric: string): string | null {
  if (model.startsWith("ARSENAL")) {
    return "ARSENAL is not in the benchmark's paper, and no checkpoint of it is in the catalogue";
  }
  if (model.startsWith("FIMO motif counts")) {
    return "an exploratory notebook; Rand index and silhouette are not metrics of the task";
  }
  if (familyOf(model) === null) return `${model} is not in the catalogue`;
  return isMeasured({ task, metric }) ? null : `${task} has no such metric`;
}

/** Our name of a family, by the authors' name of the model. */
const familyOf = (model: string): string | null =>
  [...LANGUAGE_MODELS, ...BASELINES].find(({ publishedAs }) => publishedAs === model)?.name ?? null;

/** Our name of a setting, by the authors' name; settings without a counterpart keep theirs. */
function settingOf(setting: string, benchmark: TaskBenchmark | undefined): string {
  const ofTask = benchmark?.publishedSettings?.[setting];
  return ofTask ?? allSettings().find(({ publishedAs }) => publishedAs?.includes(setting))?.name ?? setting;
}
