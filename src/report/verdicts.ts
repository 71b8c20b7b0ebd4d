import { readable, type StatedBest, verdictOf } from "../evaluation/comparison/verdict.ts";
import { type Chapter, firstProtocol, partOf } from "./chapters.ts";
import { intervalText, metricLabel } from "./estimates.ts";
import { chanceOf } from "./forest.ts";
import { fixed } from "./numbers.ts";
import type { Entry } from "./panels.ts";
import type { ReportPanel } from "./report.ts";

/** The verdict on the panel of a task with the most scored rows of all its models, and the panel's title. */
export function taskVerdict(chapter: Chapter): { readonly part: string; readonly sentence: string } {
  const scored = (panel: ReportPanel) =>
    firstProtocol(panel).reduce((sum, { result }) => sum + result.rows.selected, 0);
  const [largest] = chapter.panels.toSorted((a, b) => scored(b) - scored(a));
  return { part: partOf(chapter, largest), sentence: verdict(largest) };
}

/** One sentence on a panel's models that its numbers support, and one on chance if it is not exceeded. */
export function verdict(panel: ReportPanel): string {
  const [best] = firstProtocol(panel).filter(({ main }) => main.value !== null);
  if (best === undefined) return "The metric is undefined for every model.";
  const stated = { label: best.label, quantity: metricLabel(best.main), value: valueText(best) };
  const group = panel.comparison.find(({ models }) =>
    models.some(({ identity, tier }) => identity === best.result.identity && tier !== null),
  );
  const compared = group === undefined ? undefined : verdictOf(group, stated);
  return `${compared?.sentence ?? alone(panel, stated)}${againstChance(best, compared?.isAhead ?? false)}.`;
}

/** A model that is compared with no other. */
function alone({ entries }: ReportPanel, { label, quantity, value }: StatedBest): string {
  const isOnly = new Set(entries.map((entry) => entry.label)).size === 1;
  return isOnly
    ? `${label} is the only model; its ${readable(quantity)} is ${value}`
    : `${label} has ${readable(quantity)} ${value}`;
}

const valueText = ({ main }: Entry) => {
  const [printed] = main.intervals;
  return `${fixed(main.value ?? Number.NaN)}${printed === undefined ? "" : ` ${intervalText(printed)}`}`;
};

/**
 * The position of chance in the printed interval, if it is not below it. A model may be ahead of another one
 * while its own interval contains chance: a paired difference varies less than each of its values.
 */
function againstChance({ label, main }: Entry, isAhead: boolean): string {
  const chance = chanceOf(main);
  const interval = main.intervals[0];
  if (chance === undefined || interval === undefined || interval.low > chance) return "";
  const shown = Number(chance.toFixed(3));
  if (interval.high < chance) return `. ${label} is below chance (${shown})`;
  return isAhead
    ? `. The interval of ${label} contains chance (${shown})`
    : `. ${label} is not significantly better than chance (${shown})`;
}
