import { allSettings, allTasks } from "../evaluation/runs/forms.ts";
import type { Protocol } from "../models/model.ts";
import { type ForestScale, forestScale } from "./forest.ts";
import { type Entry, type Panel, panelPart } from "./panels.ts";
import type { Report, ReportPanel } from "./report.ts";

/** Panels of one task, which have a view of the page. */
export interface Chapter {
  readonly task: string;
  readonly heading: ReportPanel["heading"];
  /** In the order of the settings' catalogue. */
  readonly panels: readonly ReportPanel[];
  /** The data set, if all panels have the same. */
  readonly dataset: string | undefined;
  /** Scale of every forest plot of the task. */
  readonly scale: ForestScale;
}

/** Tasks of a report, those of the catalogue in its order. */
export function chaptersOf({ panels }: Pick<Report, "panels">): readonly Chapter[] {
  const chapters = new Map<string, ReportPanel[]>();
  for (const panel of panels) chapters.set(panel.task, [...(chapters.get(panel.task) ?? []), panel]);
  const forms = panels[0]?.forms;
  const tasks = allTasks(forms).map(({ name }) => name);
  const settings = allSettings(forms).map(({ name }) => name);
  return [...chapters]
    .toSorted(([a], [b]) => orderIn(tasks, a) - orderIn(tasks, b))
    .map(([task, some]) => ({
      task,
      heading: some[0].heading,
      dataset: some.every(({ dataset }) => dataset === some[0].dataset) ? some[0].dataset : undefined,
      panels: some.toSorted((a, b) => orderIn(settings, a.setting) - orderIn(settings, b.setting)),
      scale: forestScale(some.flatMap(({ entries }) => entries.map(({ main }) => main))),
    }));
}

/** Settings of panels, in the order of the catalogue. */
export function settingsOf(panels: readonly ReportPanel[]): readonly string[] {
  const settings = allSettings(panels[0]?.forms).map(({ name }) => name);
  return [...new Set(panels.map(({ setting }) => setting))].toSorted(
    (a, b) => orderIn(settings, a) - orderIn(settings, b),
  );
}

/** Place in a catalogue; unknown names are last. */
function orderIn(names: readonly string[], name: string): number {
  const found = names.indexOf(name);
  return found === -1 ? names.length : found;
}

/** Title of a panel within its task, without a data set that all panels have: `K562, probed`. */
export const partOf = (chapter: Pick<Chapter, "dataset">, panel: Panel): string =>
  panelPart(
    chapter.dataset === undefined
      ? panel
      : { setting: panel.setting, ...(panel.apart && { apart: panel.apart }) },
  );

/** Id of a task's view in the page. */
export const chapterId = (task: string): string => `task-${task.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;

/** True if a panel has both protocols, between which the page switches. */
export function isSwitched({ entries }: Pick<Panel, "entries">): boolean {
  return new Set(entries.map(({ protocol }) => protocol)).size > 1;
}

/**
 * The protocol that shows an entry: undefined for an entry that is always shown, because its model was
 * evaluated under one protocol only.
 */
export function switchedProtocol(entry: Entry, { entries }: Pick<Panel, "entries">): Protocol | undefined {
  const both = entries.some(({ label, protocol }) => label === entry.label && protocol !== entry.protocol);
  return both ? entry.protocol : undefined;
}

/** Entries under the corrected protocol, and those of models that have the paper protocol only. */
export function firstProtocol({ entries }: Pick<Panel, "entries">): readonly Entry[] {
  return entries.filter((entry) => switchedProtocol(entry, { entries }) !== "paper");
}
