import { z } from "zod";
import { InternalError } from "../../base/errors.ts";
import { readPackageFile } from "../../base/package.ts";
import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../../datasets/sources/catalogue.ts";
import { isMeasured, type PublishedResult } from "./published-result.ts";

const place = z.int().nonnegative();

const assetSchema = z.strictObject({
  format: z.literal("dart-eval published results"),
  formatVersion: z.literal(1),
  about: z.string(),
  fields: z.tuple(
    ["task", "setting", "model", "dataset", "cellLine", "metric", "value", "source", "note"].map((name) =>
      z.literal(name),
    ) as [z.ZodLiteral<string>, ...z.ZodLiteral<string>[]],
  ),
  datasets: z.array(z.string()),
  sources: z.array(z.string()),
  notes: z.array(z.string()),
  records: z.array(
    z.tuple([
      z.int().min(1).max(5),
      z.string(),
      z.string(),
      place.nullable(),
      z.string().nullable(),
      z.string(),
      z.number(),
      place,
      place.nullable(),
    ]),
  ),
});

/**
 * Every number that the authors of DART-Eval printed: the tables of arXiv:2412.05430 version 1, and what their notebooks
 * show. In the authors' order.
 */
export async function readPublished(): Promise<readonly PublishedResult[]> {
  const file = "data/published-results.json";
  const { success, data, error } = assetSchema.safeParse(JSON.parse(await readPackageFile(file)));
  if (!success) throw new InternalError(`${file} is not as it should be: ${z.prettifyError(error)}`);
  const { datasets, sources, notes, records } = data;
  const at = (list: readonly string[], i: number) => {
    const text = list[i];
    if (text === undefined) throw new InternalError(`${file} has no entry ${i} of ${list.length}`);
    return text;
  };
  return records.map(([task, setting, model, dataset, cellLine, metric, value, source, note]) => {
    const of = dataset === null ? null : at(datasets, dataset);
    const from = at(sources, source);
    const says = note === null ? null : at(notes, note);
    return {
      task: PUBLISHED_TASKS[task],
      setting: settingOfPublished(task, setting),
      model,
      family: PUBLISHED_FAMILIES[model] ?? null,
      of,
      dataset: cellLine ?? (of === null ? null : (PUBLISHED_DATASETS[of] ?? null)),
      metric,
      value,
      source: from,
      kind: from.startsWith("arXiv") ? "paper" : "notebook",
      edition: editionOf(from),
      unplaced: whyUnplaced(PUBLISHED_TASKS[task], model, metric),
      note: says,
      superseded: says !== null && /^(Later re-run|Superseded|Typed into the plot code)/.test(says),
    };
  });
}

/** Revisions of the authors' notebooks, by what a source says of them. */
const REVISIONS: readonly (readonly [says: RegExp, name: string])[] = [
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
  const revision = REVISIONS.find(([says]) => says.test(source))?.[1];
  return revision === undefined ? notebook : `${notebook}, ${revision}`;
}

function whyUnplaced(task: string, model: string, metric: string): string | null {
  if (model.startsWith("ARSENAL")) {
    return "ARSENAL is not in the benchmark's paper, and no checkpoint of it is in the catalogue";
  }
  if (model.startsWith("FIMO motif counts")) {
    return "an exploratory notebook; Rand index and silhouette are not measures of the task";
  }
  if (PUBLISHED_FAMILIES[model] === undefined) return `${model} is not in the catalogue`;
  return isMeasured({ task, metric }) ? null : `${task} has no such metric`;
}

/** The authors' names of tasks, settings, models and data sets, and ours. */

const PUBLISHED_TASKS: Readonly<Record<number, string>> = {
  1: "regulatory-elements",
  2: "motif-footprinting",
  3: "cell-type-elements",
  4: "chromatin-activity",
  5: "variant-effects",
};

/** ChromBPNet was trained by others, or gave its scores in the tables: here such a model predicts. */
const PREDICTED_TASKS = new Set([4, 5]);

function settingOfPublished(task: number, setting: string): string {
  switch (setting) {
    case "zero_shot_likelihood":
      return "zero-shot";
    case "zero_shot_embedding":
      return "zero-shot-embedding";
    case "probed":
      return "probed";
    case "fine_tuned":
      return "fine-tuned";
    case "ab_initio":
      return PREDICTED_TASKS.has(task) ? "predicted" : "ab-initio";
    case "supervised_baseline":
      return "predicted";
    default:
      return setting;
  }
}

const PUBLISHED_FAMILIES: Readonly<Record<string, string>> = {
  Caduceus: "caduceus",
  "DNABERT-2": "dnabert2",
  "GENA-LM": "gena-lm",
  HyenaDNA: "hyenadna",
  "Mistral-DNA": "mistral-dna",
  NT: "nucleotide-transformer",
  "Probing-head-like": "probing-head-like",
  "ChromBPNet-like": "chrombpnet-like",
  ChromBPNet: "chrombpnet",
};

const PUBLISHED_DATASETS: Readonly<Record<string, string>> = {
  "African LCL caQTLs": AFRICAN_CAQTLS,
  "Yoruban LCL dsQTLs": YORUBAN_DSQTLS,
};

/** Whether a user's name of a data set is one of the authors': in other words, but about the same. */
export function isSameDataset(published: string, given: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (published === AFRICAN_CAQTLS) return /afr/.test(plain(given));
  if (published === YORUBAN_DSQTLS) return /yor/.test(plain(given));
  return plain(published) === plain(given);
}
