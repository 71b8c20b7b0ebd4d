import { CELL_LINES } from "../datasets/cell-lines.ts";
import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../datasets/sources/catalogue.ts";
import { benchmarkDataOf } from "../evaluation/published/benchmark-data.ts";
import { publishedNumber, whyNotComparable } from "../evaluation/published/compare-published.ts";
import {
  type MeasuredValue,
  measuredValue,
  type PublishedResult,
} from "../evaluation/published/published-result.ts";
import { isSameDataset } from "../evaluation/published/read-published.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import type { Protocol } from "../models/model.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Table, TableCell } from "./table.ts";

/** A column of one of the paper's tables: the authors' key of a metric, and of which data set or class it is. */
interface PaperColumn {
  readonly heading: string;
  readonly metric: string;
  readonly dataset?: string;
}

/** One of the tables that the benchmark's paper has, or that its scripts print. */
interface PaperTable {
  readonly task: string;
  readonly caption: string;
  readonly settings: readonly string[];
  readonly columns: readonly PaperColumn[];
  /** Data sets that have a line each, all columns being of it; without them a line is of all data sets. */
  readonly lines?: { readonly heading: string; readonly datasets: readonly string[] };
}

const SETTINGS = ["zero-shot", "zero-shot-embedding", "probed", "fine-tuned", "ab-initio", "predicted"];
const TRAINED = ["probed", "fine-tuned", "ab-initio"];
const byLine = (heading: string, metric: string): readonly PaperColumn[] =>
  CELL_LINES.map((dataset) => ({ heading: `${dataset} ${heading}`, metric, dataset }));
const byStudy = (heading: string, metric: string): readonly PaperColumn[] =>
  [AFRICAN_CAQTLS, YORUBAN_DSQTLS].map((dataset) => ({
    heading: `${dataset.split(" ")[0]} ${heading}`,
    metric,
    dataset,
  }));

const PAPER_TABLES: readonly PaperTable[] = [
  {
    task: "regulatory-elements",
    caption: "Task 1, regulatory elements against shuffled controls (the paper's Table 3)",
    settings: SETTINGS,
    columns: [
      { heading: "absolute accuracy", metric: "absolute_accuracy" },
      { heading: "paired accuracy", metric: "paired_accuracy" },
    ],
  },
  {
    task: "regulatory-elements",
    caption: "Task 1, the same by other measures (as in the paper's supplement)",
    settings: TRAINED,
    columns: [
      { heading: "AUROC", metric: "auroc" },
      { heading: "AUPRC", metric: "auprc" },
    ],
  },
  {
    task: "motif-footprinting",
    caption: "Task 2, accuracies of all motifs: their distribution (as the notebooks print it)",
    settings: SETTINGS,
    columns: [
      { heading: "lowest", metric: "per_motif_accuracy_min" },
      { heading: "first quartile", metric: "per_motif_accuracy_q25" },
      { heading: "median", metric: "per_motif_accuracy_median" },
      { heading: "third quartile", metric: "per_motif_accuracy_q75" },
      { heading: "highest", metric: "per_motif_accuracy_max" },
      { heading: "above 0.5", metric: "motifs_with_accuracy_above_0.5" },
    ],
  },
  {
    task: "cell-type-elements",
    caption: "Task 3, clusters of embeddings against cell lines",
    settings: ["zero-shot-embedding"],
    columns: [
      { heading: "AMI, 50 clusters", metric: "adjusted_mutual_information" },
      { heading: "AMI, 5 clusters", metric: "adjusted_mutual_information_5" },
    ],
  },
  {
    task: "cell-type-elements",
    caption: "Task 3, cell-type-specific elements: accuracy, and AUROC of each line (the paper's Table 4)",
    settings: TRAINED,
    columns: [{ heading: "accuracy", metric: "accuracy" }, ...byLine("AUROC", "auroc")],
  },
  {
    task: "cell-type-elements",
    caption: "Task 3, each cell line against the others (as in the paper's supplement)",
    settings: TRAINED,
    lines: { heading: "cell line", datasets: CELL_LINES },
    columns: [
      { heading: "AUROC", metric: "auroc" },
      { heading: "AUPRC", metric: "auprc" },
      { heading: "accuracy", metric: "accuracy_against_rest" },
    ],
  },
  {
    task: "chromatin-activity",
    caption: "Task 4, chromatin activity: Spearman r over peaks, AUROC of peaks (the paper's Table 5)",
    settings: SETTINGS,
    columns: [...byLine("r", "spearman"), ...byLine("AUROC", "auroc")],
  },
  {
    task: "chromatin-activity",
    caption: "Task 4, each cell line by all measures (as in the paper's supplement)",
    settings: SETTINGS,
    lines: { heading: "cell line", datasets: CELL_LINES },
    columns: [
      { heading: "Spearman, peaks", metric: "spearman" },
      { heading: "Pearson, peaks", metric: "pearson_peaks" },
      { heading: "Spearman, all", metric: "spearman_all" },
      { heading: "Pearson, all", metric: "pearson_all" },
      { heading: "AUROC", metric: "auroc" },
      { heading: "AUPRC", metric: "auprc" },
    ],
  },
  {
    task: "variant-effects",
    caption: "Task 5, variant effects: Pearson r over QTLs, AUROC of QTLs (the paper's Table 6)",
    settings: SETTINGS,
    columns: [...byStudy("Pearson r", "pearson"), ...byStudy("AUROC", "auroc")],
  },
  {
    task: "variant-effects",
    caption: "Task 5, the same by other measures (as the notebooks print them)",
    settings: SETTINGS,
    columns: [
      ...byStudy("Spearman", "spearman"),
      ...byStudy("AUPRC", "auprc"),
      ...byStudy("Mann-Whitney p", "mannwhitney_p_less"),
    ],
  },
];

/**
 * The results in the tables of the benchmark's paper and its supplement: a line per setting and model, a column per metric and
 * data set (in some a line per data set, too), numbers with half of their 95 % interval; one set of tables for each protocol.
 * Tables without any number, and columns without one, are left out. Below a model is what was published of it, in the columns
 * where its own number is comparable, so only under the paper protocol.
 */
export function paperTables(
  results: readonly StoredResult[],
  published: readonly PublishedResult[],
): readonly Table[] {
  return (["paper", "corrected"] as const).flatMap((protocol) =>
    PAPER_TABLES.flatMap((form) => tableOf(form, protocol, results, published) ?? []),
  );
}

function tableOf(
  form: PaperTable,
  protocol: Protocol,
  results: readonly StoredResult[],
  published: readonly PublishedResult[],
): Table | undefined {
  const cells = results
    .map(({ result }) => result)
    .filter(({ cell }) => cell.task === form.task && cell.protocol === protocol);
  const parts = form.lines?.datasets ?? [undefined];
  const lines = form.settings.flatMap((setting) => {
    const asked = cells.filter(({ cell }) => cell.setting === setting);
    const models = new Map(asked.map(({ cell }) => [modelKey(cell.model), cell.model.name]));
    return [...models].flatMap(([key, label]): Line[] => {
      const own = asked.filter(({ cell }) => modelKey(cell.model) === key);
      return parts.flatMap((dataset) => {
        const part = dataset === undefined ? {} : { dataset };
        const columns = form.columns.map((column) => ({ ...column, ...part }));
        const found = columns.map((column) => valueIn(own, form.task, column));
        if (dataset !== undefined && found.every((one) => one === undefined)) return [];
        const values = found.map((one) => one?.value);
        const theirs = publishedLine(setting, columns, found, published);
        return [{ setting, label, values }, ...theirs].map((line) => ({ ...line, ...part }));
      });
    });
  });
  const shown = form.columns.flatMap((_, c) =>
    lines.some(({ values, isPublished }) => !isPublished && values[c] !== undefined) ? [c] : [],
  );
  if (shown.length === 0) return undefined;
  return {
    caption: `${form.caption}; ${protocol} protocol`,
    columns: [
      { heading: "setting", align: "left" },
      { heading: "model", align: "left" },
      ...(form.lines === undefined ? [] : [{ heading: form.lines.heading, align: "left" as const }]),
      ...shown.map((c) => ({ heading: form.columns[c].heading, align: "right" as const })),
    ],
    rows: lines
      .filter(({ values }) => shown.some((c) => values[c] !== undefined))
      .map(({ setting, label, dataset, values }) => [
        setting,
        label,
        ...(form.lines === undefined ? [] : [dataset!]),
        ...shown.map((c) => cellOf(values[c])),
      ]),
    notes: customData(cells),
  };
}

interface Line {
  readonly setting: string;
  readonly label: string;
  /** Of a table with a line for each. */
  readonly dataset?: string;
  readonly values: readonly (MeasuredValue | undefined)[];
  readonly isPublished?: true;
}

/** The published numbers of the columns in which our own are comparable; none where there are no such columns. */
function publishedLine(
  setting: string,
  columns: readonly PaperColumn[],
  own: readonly (FoundValue | undefined)[],
  published: readonly PublishedResult[],
): readonly Line[] {
  const found = columns.map(({ metric, dataset }, c) => {
    const result = own[c]?.result;
    if (result?.family === undefined || whyNotComparable(result) !== undefined) return undefined;
    const { task } = result.cell;
    return publishedNumber(published, {
      task,
      setting,
      family: result.family,
      metric,
      dataset: dataset ?? null,
    });
  });
  const model = found.find((one) => one !== undefined)?.model;
  if (model === undefined) return [];
  const values = found.map(
    (one): MeasuredValue | undefined =>
      one && { title: "", value: one.value, ...(one.metric.includes("_p_") ? { isProbability: true } : {}) },
  );
  return [{ setting, label: `${model}, published`, values, isPublished: true }];
}

const modelKey = ({ name, identity }: { readonly name: string; readonly identity: string | null }) =>
  JSON.stringify([name, identity]);

interface FoundValue {
  readonly result: StoredResult["result"];
  readonly value: MeasuredValue;
}

/** The number of a column among a model's cells in one setting; a data set is a cell's own, or a class within one cell. */
function valueIn(
  cells: readonly StoredResult["result"][],
  task: string,
  column: PaperColumn,
): FoundValue | undefined {
  const { metric } = column;
  const dataset = column.dataset ?? null;
  for (const result of cells) {
    const own = datasetOf(result);
    if (own !== undefined && (dataset === null || !isSameDataset(dataset, own))) continue;
    const value = measuredValue(result, { task, metric, dataset });
    if (value !== undefined) return { result, value };
  }
  return undefined;
}

/** Of the benchmark's data, the data set that they are; of others, the name that the user gave. */
function datasetOf(result: StoredResult["result"]): string | undefined {
  const data = benchmarkDataOf(result);
  return ("dataset" in data ? data.dataset : null) ?? result.cell.dataset;
}

/** A sentence on the results that are not on the benchmark's data, whatever their data sets are called. */
function customData(cells: readonly StoredResult["result"][]): readonly string[] {
  const reasons = cells.flatMap((result) => {
    const data = benchmarkDataOf(result);
    return "why" in data ? [data.why] : [];
  });
  if (reasons.length === 0) return [];
  return [`Not on the benchmark's data: ${[...new Set(reasons)].join("; ")}.`];
}

function cellOf(own: MeasuredValue | undefined): TableCell {
  if (own === undefined || own.value === null) return UNDEFINED;
  const { value, interval, isProbability } = own;
  if (isProbability) return value === 0 ? "0" : pValue(value);
  if (Number.isInteger(value) && Math.abs(value) > 1) return count(value);
  const detail = interval === undefined ? "" : `± ${fixed((interval.high - interval.low) / 2, 3)}`;
  return { text: fixed(value, 3), detail };
}
