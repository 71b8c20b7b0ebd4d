import { stableStringify } from "../base/json.ts";
import { valueAt } from "../base/record.ts";
import { benchmarkDataOf } from "../evaluation/published/benchmark-data.ts";
import { cellName, contextText, evaluatedData } from "../evaluation/runs/cell.ts";
import type { CustomForms } from "../evaluation/runs/forms.ts";
import type { CellResult, StoredResult } from "../evaluation/runs/stored-results.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import type { Protocol } from "../models/model.ts";
import { count } from "./numbers.ts";

/** Result of one cell, as shown in a report. */
export interface Entry {
  /**
   * The model's name, followed by the cell's name if two entries of a panel have the same model name and
   * protocol.
   */
  readonly label: string;
  readonly protocol: Protocol;
  /** Kind of control, if the run evaluated the model as one. */
  readonly control?: string;
  readonly stored: StoredResult;
  readonly result: CellResult;
  /** The metric by which the task ranks models. */
  readonly main: Metric;
}

/**
 * Results that can be ranked together: one task in one setting, on the same rows of the same data. Best
 * first.
 */
export interface Panel {
  readonly task: string;
  /**
   * Name of the data set, if the task has several, followed by "(custom data)" if it is not the benchmark's,
   * and by the bases per sequence if they are more than the task's window: `K562, 8192 bp`.
   */
  readonly dataset?: string;
  readonly setting: string;
  /** Evaluated data, and a note, if another panel has the same task, data set and setting. */
  readonly apart?: { readonly title: string; readonly why: string };
  readonly entries: readonly Entry[];
}

type Named = Pick<Panel, "dataset" | "setting" | "apart">;

/** Title of a panel: `Chromatin activity, K562, probed`. @param title  the task's title */
export function panelTitle(title: string, panel: Named): string {
  return `${title}, ${panelPart(panel)}`;
}

/** Title of a panel within its task: `K562, probed`. */
export function panelPart({ dataset, setting, apart }: Named): string {
  return [dataset, setting, apart?.title].filter((part) => part !== undefined).join(", ");
}

/** Id of a panel's heading in the page, for links. */
export function panelId({ task, dataset, setting, apart }: Named & Pick<Panel, "task">): string {
  const names = [task, dataset, setting, apart?.title].filter((name) => name !== undefined);
  return `panel-${names.map((name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-")).join("--")}`;
}

/**
 * Groups results into panels, in order of first occurrence of their tasks, data sets and settings. Results on
 * different data or rows are in different panels, even if names and counts are equal.
 */
export function panelsOf(results: readonly StoredResult[], forms?: CustomForms): Panel[] {
  const named = grouped(results, ({ result }) => {
    const { task, setting } = result.cell;
    return [task, datasetName(result, forms) ?? null, setting];
  });
  return named.flatMap((group) => {
    const { result } = group[0];
    const dataset = datasetName(result, forms);
    const { task, setting } = result.cell;
    const parts = grouped(group, (stored) => evaluated(stored, forms));
    return parts.map((part): Panel => {
      const panel = { task, ...(dataset === undefined ? {} : { dataset }), setting };
      const entries = rank(part.map((stored) => entryOf(stored, part)));
      return parts.length === 1
        ? { ...panel, entries }
        : { ...panel, apart: apartOf(part, parts, forms), entries };
    });
  });
}

function datasetName(result: CellResult, forms?: CustomForms): string | undefined {
  const { dataset, context } = result.cell;
  const custom = dataset !== undefined && "why" in benchmarkDataOf(result, forms);
  const names = [custom ? `${dataset} (custom data)` : dataset, contextText(context)];
  return names.filter((name) => name !== undefined).join(", ") || undefined;
}

/** Key of a result's evaluated data: digests of sequences, labels and rows. */
function evaluated({ result: { cell, rows } }: StoredResult, forms?: CustomForms): readonly unknown[] {
  return [cell.taskVersion, cell.seed, stableStringify(evaluatedData(cell, forms)), rows.digest];
}

function grouped(
  results: readonly StoredResult[],
  keyOf: (stored: StoredResult) => readonly unknown[],
): StoredResult[][] {
  const groups = new Map<string, StoredResult[]>();
  for (const stored of results) {
    const key = JSON.stringify(keyOf(stored));
    groups.set(key, [...(groups.get(key) ?? []), stored]);
  }
  return [...groups.values()];
}

/** Title that distinguishes one part from the others, and a note. */
function apartOf(
  [first]: readonly StoredResult[],
  parts: readonly (readonly StoredResult[])[],
  forms?: CustomForms,
) {
  const { result } = first;
  const all = parts.map(([stored]) => stored.result);
  const differs = (of: (one: CellResult) => unknown) => new Set(all.map(of)).size > 1;
  const inputs = [...new Set(all.flatMap(({ cell }) => Object.keys(evaluatedData(cell, forms))))].filter(
    (name) => differs(({ cell }) => cell.data[name]),
  );
  const titles = inputs.map((name) => {
    const digest = result.cell.data[name]?.slice(0, 8);
    const file = result.origins?.[name]?.file ?? name;
    return digest === undefined ? `without ${name}` : `${file} ${digest}`;
  });
  const reasons = inputs.map((name) => `other ${name}`);
  if (differs(({ cell }) => cell.seed)) {
    titles.push(`seed ${result.cell.seed}`);
    reasons.push("another seed of the task");
  }
  if (differs(({ cell }) => cell.taskVersion)) {
    titles.push(`task version ${result.cell.taskVersion}`);
    reasons.push("another version of the task");
  }
  if (differs(({ rows }) => rows.digest)) {
    const alike = all.filter(({ rows }) => rows.selected === result.rows.selected);
    const digest = alike.some(({ rows }) => rows.digest !== result.rows.digest)
      ? ` ${result.rows.digest.slice(0, 8)}`
      : "";
    titles.push(`${count(result.rows.selected)} rows${digest}`);
    reasons.push("other rows of the table");
  }
  return {
    title: titles.join(", "),
    why: `Not ranked together with ${parts.length === 2 ? "another panel" : `${parts.length - 1} other panels`} of the same name, whose models were evaluated on ${reasons.join(" and ")}.`,
  };
}

function entryOf(stored: StoredResult, group: readonly StoredResult[]): Entry {
  const { result } = stored;
  const { model, protocol } = result.cell;
  const namesakes = group.filter(
    ({ result: { cell } }) => cell.model.name === model.name && cell.protocol === protocol,
  );
  const label = namesakes.length === 1 ? model.name : `${model.name} (${cellName(result.identity)})`;
  const control = result.control === undefined ? {} : { control: result.control };
  return { label, protocol, ...control, stored, result, main: result.metrics[0] };
}

/**
 * Sorts entries by main metric, best first, undefined values last. A model's protocols are adjacent,
 * `corrected` first.
 */
function rank(entries: readonly Entry[]): Entry[] {
  const worth = ({ main }: Entry) =>
    main.value === null ? Number.NEGATIVE_INFINITY : main.better === "lower" ? -main.value : main.value;
  const best = new Map<string, number>();
  for (const entry of entries) {
    best.set(entry.label, Math.max(best.get(entry.label) ?? Number.NEGATIVE_INFINITY, worth(entry)));
  }
  return entries.toSorted(
    (a, b) =>
      // Comparison, since the difference of two infinities is NaN.
      compare(valueAt(best, b.label), valueAt(best, a.label)) ||
      (a.label < b.label ? -1 : a.label > b.label ? 1 : 0) ||
      (a.protocol < b.protocol ? -1 : 1),
  );
}

const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
