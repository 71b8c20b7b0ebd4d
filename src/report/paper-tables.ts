import { benchmarkDataOf, isSameDataset } from "../evaluation/published/benchmark-data.ts";
import { publishedNumber, whyNotComparable } from "../evaluation/published/compare-published.ts";
import { measuredValue, type PublishedResult } from "../evaluation/published/published-result.ts";
import { allSettings, allTasks, type CustomForms } from "../evaluation/runs/forms.ts";
import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import type { MeasuredValue, PaperColumn, PaperTable } from "../evaluation/tasks/benchmark.ts";
import type { Protocol } from "../models/model.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Table, TableCell } from "./table.ts";

/**
 * Results in the layout of the paper's tables and its supplement, one set of tables per protocol. Tables have
 * one line per setting and model, some also per data set, and one column per metric and data set, with
 * half-widths of 95 % intervals. Empty tables and columns are omitted. Below a model's line are its published
 * numbers, in columns with comparable results of the paper protocol.
 */
export function paperTables(
  results: readonly StoredResult[],
  published: readonly PublishedResult[],
  forms?: CustomForms,
): readonly Table[] {
  return (["paper", "corrected"] as const).flatMap((protocol) =>
    allTasks(forms).flatMap(({ name, benchmark }) => {
      const cells = results
        .map(({ result }) => result)
        .filter(({ cell }) => cell.task === name && cell.protocol === protocol);
      return (benchmark?.paperTables ?? []).flatMap(
        (form) => tableOf(form, { task: name, protocol, cells, published, forms }) ?? [],
      );
    }),
  );
}

/** Results of one task under one protocol, and the published numbers. */
interface TableContext {
  readonly task: string;
  readonly protocol: Protocol;
  readonly cells: readonly StoredResult["result"][];
  readonly published: readonly PublishedResult[];
  readonly forms: CustomForms | undefined;
}

function tableOf(form: PaperTable, context: TableContext): Table | undefined {
  const { protocol, cells, forms } = context;
  const parts = form.lines?.datasets ?? [undefined];
  const settings = form.settings ?? allSettings(forms).map(({ name }) => name);
  const lines = settings.flatMap((setting) => {
    const ofSetting = cells.filter(({ cell }) => cell.setting === setting);
    const models = new Map(ofSetting.map(({ cell }) => [modelKey(cell.model), cell.model.name]));
    return [...models].flatMap(([key, label]): Line[] => {
      const own = ofSetting.filter(({ cell }) => modelKey(cell.model) === key);
      return parts.flatMap((dataset) => {
        const part = dataset === undefined ? {} : { dataset };
        const columns = form.columns.map((column) => ({ ...column, ...part }));
        const found = columns.map((column) => valueIn(own, context, column));
        if (dataset !== undefined && found.every((one) => one === undefined)) return [];
        const values = found.map((one) => one?.value);
        const theirs = publishedLine(setting, columns, found, context);
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
        ...(form.lines === undefined ? [] : [dataset ?? ""]),
        ...shown.map((c) => cellOf(values[c])),
      ]),
    notes: customData(cells, forms),
  };
}

interface Line {
  readonly setting: string;
  readonly label: string;
  /** In tables with one line per data set. */
  readonly dataset?: string;
  readonly values: readonly (MeasuredValue | undefined)[];
  readonly isPublished?: true;
}

/** Line of published numbers in the columns with comparable results; empty without such columns. */
function publishedLine(
  setting: string,
  columns: readonly PaperColumn[],
  own: readonly (FoundValue | undefined)[],
  { published, forms }: TableContext,
): readonly Line[] {
  const found = columns.map(({ metric, dataset }, c) => {
    const result = own[c]?.result;
    if (result?.family === undefined || whyNotComparable(result, forms) !== undefined) return undefined;
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

/**
 * Value of a column among a model's cells in one setting. A column's data set is a cell's data set, or a
 * class within a cell.
 */
function valueIn(
  cells: readonly StoredResult["result"][],
  { task, forms }: TableContext,
  column: PaperColumn,
): FoundValue | undefined {
  const { metric } = column;
  const dataset = column.dataset ?? null;
  for (const result of cells) {
    const own = datasetOf(result, forms);
    if (own !== undefined && (dataset === null || !isSameDataset({ task, dataset }, own, forms))) continue;
    const value = measuredValue(result, { task, metric, dataset }, forms);
    if (value !== undefined) return { result, value };
  }
  return undefined;
}

/** The benchmark's data set of a result, or the user's name for custom data. */
function datasetOf(result: StoredResult["result"], forms?: CustomForms): string | undefined {
  const data = benchmarkDataOf(result, forms);
  return ("dataset" in data ? data.dataset : null) ?? result.cell.dataset;
}

/** Note on results on custom data. */
function customData(cells: readonly StoredResult["result"][], forms?: CustomForms): readonly string[] {
  const reasons = cells.flatMap((result) => {
    const data = benchmarkDataOf(result, forms);
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
