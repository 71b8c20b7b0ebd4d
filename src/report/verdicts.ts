import { verdictOf } from "../evaluation/comparison/verdict.ts";
import { type Chapter, firstProtocol, partOf } from "./chapters.ts";
import { chanceOf } from "./forest.ts";
import { fixed } from "./numbers.ts";
import type { Entry } from "./panels.ts";
import type { ReportPanel } from "./report.ts";

/** A sentence on the panel of a task with the most scored rows of all its models. */
export function taskVerdict(chapter: Chapter): string {
  const scored = (panel: ReportPanel) =>
    firstProtocol(panel).reduce((sum, { result }) => sum + result.rows.selected, 0);
  const [largest] = chapter.panels.toSorted((a, b) => scored(b) - scored(a));
  const part = partOf(chapter, largest);
  return `${part.charAt(0).toUpperCase()}${part.slice(1)}: ${verdict(largest)}`;
}

/** One sentence on a panel's models that its numbers support, and one on chance if it is not exceeded. */
export function verdict(panel: ReportPanel): string {
  const [best] = firstProtocol(panel).filter(({ main }) => main.value !== null);
  if (best === undefined) return "The metric is undefined for every model.";
  const group = panel.comparison.find(({ models }) =>
    models.some(({ identity }) => identity === best.result.identity),
  );
  const stated = { label: best.label, quantity: quantity(best), value: valueText(best) };
  const compared = group === undefined ? undefined : verdictOf(group, stated);
  return `${compared ?? `${stated.label}: ${stated.quantity} ${stated.value}`}${againstChance(best)}.`;
}

const quantity = ({ main }: Entry) => main.column ?? main.title;

const valueText = ({ main }: Entry) => {
  const [printed] = main.intervals;
  const interval = printed === undefined ? "" : ` [${fixed(printed.low)}, ${fixed(printed.high)}]`;
  return `${fixed(main.value ?? Number.NaN)}${interval}`;
};

/** The position of chance in the printed interval, if it is not below it. */
function againstChance({ label, main }: Entry): string {
  const chance = chanceOf(main);
  const interval = main.intervals[0];
  if (chance === undefined || interval === undefined || interval.low > chance) return "";
  const shown = Number(chance.toFixed(3));
  return interval.high < chance
    ? `. ${label} is below chance (${shown})`
    : `. ${label} is not distinguished from chance (${shown})`;
}
