import { CELL_LINES } from "../datasets/cell-lines.ts";
import { isOfBenchmark, publishedNumber } from "../evaluation/published/compare-published.ts";
import { AFRICAN, isSameDataset, YORUBAN } from "../evaluation/published/names.ts";
import { type OwnValue, ownValue } from "../evaluation/published/own-value.ts";
import type { PublishedResult } from "../evaluation/published/published-result.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";
import type { Protocol } from "../models/model.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Cell, Table } from "./tables/table.ts";

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
const byLine = (heading: string, metric: string): readonly PaperColumn[] =>
  CELL_LINES.map((dataset) => ({ heading: `${dataset} ${heading}`, metric, dataset }));
const byStudy = (heading: string, metric: string): readonly PaperColumn[] =>
  [AFRICAN, YORUBAN].map((dataset) => ({ heading: `${dataset.split(" ")[0]} ${heading}`, metric, dataset }));

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
    settings: ["probed", "fine-tuned", "ab-initio"],
    columns: [{ heading: "accuracy", metric: "accuracy" }, ...byLine("AUROC", "auroc")],
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
 * The results in the tables of the benchmark's paper: a line per setting and model, a column per metric and data set (in one
 * table a line per data set, too), numbers with half of their 95 % interval as the paper has them; one set of tables for each protocol. Tables without any number, and
 * columns without one, are left out. Below a model that was asked of the benchmark's own data stands what was published of
 * its family.
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
      const family = own.find(isOfBenchmark)?.family;
      return parts.flatMap((dataset) => {
        const part = dataset === undefined ? {} : { dataset };
        const columns = form.columns.map((column) => ({ ...column, ...part }));
        const values = columns.map((column) => valueIn(own, form.task, column));
        if (dataset !== undefined && values.every((value) => value === undefined)) return [];
        const theirs =
          family === undefined ? [] : publishedLine({ task: form.task, columns }, setting, family, published);
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
      ...shown.map((c) => ({ heading: form.columns[c]!.heading, align: "right" as const })),
    ],
    rows: lines
      .filter(({ values }) => shown.some((c) => values[c] !== undefined))
      .map(({ setting, label, dataset, values }) => [
        setting,
        label,
        ...(form.lines === undefined ? [] : [dataset!]),
        ...shown.map((c) => cellOf(values[c])),
      ]),
  };
}

interface Line {
  readonly setting: string;
  readonly label: string;
  /** Of a table with a line for each. */
  readonly dataset?: string;
  readonly values: readonly (OwnValue | undefined)[];
  readonly isPublished?: true;
}

function publishedLine(
  { task, columns }: Pick<PaperTable, "task" | "columns">,
  setting: string,
  family: string,
  published: readonly PublishedResult[],
): readonly Line[] {
  const found = columns.map(({ metric, dataset }) =>
    publishedNumber(published, { task, setting, family, metric, dataset: dataset ?? null }),
  );
  const model = found.find((one) => one !== undefined)?.model;
  if (model === undefined) return [];
  const values = found.map(
    (one): OwnValue | undefined =>
      one && { title: "", value: one.value, ...(one.metric.includes("_p_") ? { isProbability: true } : {}) },
  );
  return [{ setting, label: `${model}, published`, values, isPublished: true }];
}

const modelKey = ({ name, identity }: { readonly name: string; readonly identity: string | null }) =>
  JSON.stringify([name, identity]);

/** The number of a column among a model's cells in one setting; a data set is a cell's own, or a class within one cell. */
function valueIn(
  cells: readonly StoredResult["result"][],
  task: string,
  column: PaperColumn,
): OwnValue | undefined {
  const { metric } = column;
  const dataset = column.dataset ?? null;
  for (const result of cells) {
    const own = result.cell.dataset;
    if (own !== undefined && (dataset === null || !isSameDataset(dataset, own))) continue;
    const value = ownValue(result, { task, metric, dataset });
    if (value !== undefined) return value;
  }
  return undefined;
}

function cellOf(own: OwnValue | undefined): Cell {
  if (own === undefined || own.value === null) return UNDEFINED;
  const { value, interval, isProbability } = own;
  if (isProbability) return value === 0 ? "0" : pValue(value);
  if (Number.isInteger(value) && Math.abs(value) > 1) return count(value);
  const detail = interval === undefined ? "" : `± ${fixed((interval.high - interval.low) / 2, 3)}`;
  return { text: fixed(value, 3), detail };
}
