import { cellName } from "../evaluation/runs/cell.ts";
import type { CellResult, StoredResult } from "../evaluation/runs/result.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import type { Protocol } from "../models/model.ts";

/** One cell as the report shows it. */
export interface Entry {
  /** The model's name; with the cell's own number where two entries of a panel would bear the same name. */
  readonly label: string;
  readonly protocol: Protocol;
  readonly stored: StoredResult;
  readonly result: CellResult;
  /** The metric by which the task ranks models. */
  readonly main: Metric;
}

/** Everything that answers one question: the entries of one task and data set in one setting, best first. */
export interface Panel {
  readonly task: string;
  /** The data set's name where the task has several. */
  readonly dataset?: string;
  readonly setting: string;
  readonly entries: readonly Entry[];
}

/** `Chromatin activity, K562, probed`: what a panel is about, the task by its title. */
export function panelTitle(title: string, panel: Pick<Panel, "dataset" | "setting">): string {
  return `${title}, ${panelPart(panel)}`;
}

/** `K562, probed`: what a panel is about, within its task. */
export function panelPart({ dataset, setting }: Pick<Panel, "dataset" | "setting">): string {
  return dataset === undefined ? setting : `${dataset}, ${setting}`;
}

/** The id of a panel's heading in the page, to which a link may point. */
export function panelId({ task, dataset, setting }: Pick<Panel, "task" | "dataset" | "setting">): string {
  const names = [task, ...(dataset === undefined ? [] : [dataset]), setting];
  return `panel-${names.map((name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-")).join("--")}`;
}

/** Sorts results into panels, in the order in which their tasks, data sets and settings first occur. */
export function panelsOf(results: readonly StoredResult[]): Panel[] {
  const groups = new Map<string, StoredResult[]>();
  for (const stored of results) {
    const { task, dataset, setting } = stored.result.cell;
    const key = JSON.stringify([task, dataset ?? null, setting]);
    groups.set(key, [...(groups.get(key) ?? []), stored]);
  }
  return [...groups.values()].map((group) => {
    const { task, dataset, setting } = group[0]!.result.cell;
    const entries = rank(group.map((stored) => entryOf(stored, group)));
    return { task, ...(dataset === undefined ? {} : { dataset }), setting, entries };
  });
}

function entryOf(stored: StoredResult, group: readonly StoredResult[]): Entry {
  const { result } = stored;
  const { model, protocol } = result.cell;
  const namesakes = group.filter(
    ({ result: { cell } }) => cell.model.name === model.name && cell.protocol === protocol,
  );
  const label = namesakes.length === 1 ? model.name : `${model.name} (${cellName(result.identity)})`;
  return { label, protocol, stored, result, main: result.metrics[0]! };
}

/** Best first by the main metric, undefined values last; a model's protocols stand together, `corrected` first. */
function rank(entries: readonly Entry[]): Entry[] {
  const worth = ({ main }: Entry) =>
    main.value === null ? Number.NEGATIVE_INFINITY : main.better === "lower" ? -main.value : main.value;
  const best = new Map<string, number>();
  for (const entry of entries) {
    best.set(entry.label, Math.max(best.get(entry.label) ?? Number.NEGATIVE_INFINITY, worth(entry)));
  }
  return entries.toSorted(
    (a, b) =>
      // Infinities are compared, not subtracted: their difference is no number.
      compare(best.get(b.label)!, best.get(a.label)!) ||
      (a.label < b.label ? -1 : a.label > b.label ? 1 : 0) ||
      (a.protocol < b.protocol ? -1 : 1),
  );
}

const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
