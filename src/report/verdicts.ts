import type { ComparedGroup } from "../evaluation/comparison/comparison.ts";
import { excludesZero } from "../evaluation/comparison/verdict.ts";
import { type Chapter, firstProtocol, partOf } from "./chapters.ts";
import { differenceText } from "./comparisons.ts";
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

/** Largest number of models that a verdict names. */
const NAMED = 3;

/** One sentence on a panel's models that its numbers support, and one on chance if it is not exceeded. */
export function verdict(panel: ReportPanel): string {
  const [best] = firstProtocol(panel).filter(({ main }) => main.value !== null);
  if (best === undefined) return "The metric is undefined for every model.";
  const group = panel.comparison.find(({ models }) =>
    models.some(({ identity }) => identity === best.result.identity),
  );
  return `${group === undefined || group.pairs.length === 0 ? onOne(best) : onGroup(best, group)}${againstChance(best)}.`;
}

const quantity = ({ main }: Entry) => main.column ?? main.title;

const valueText = ({ main }: Entry) => {
  const [printed] = main.intervals;
  const interval = printed === undefined ? "" : ` [${fixed(printed.low)}, ${fixed(printed.high)}]`;
  return `${fixed(main.value ?? Number.NaN)}${interval}`;
};

const onOne = (best: Entry) => `${best.label}: ${quantity(best)} ${valueText(best)}`;

function onGroup(best: Entry, { models, pairs }: ComparedGroup): string {
  const tied = models.filter(({ tier }) => tier === 1).map(({ label }) => label);
  const [first, second] = models;
  const pair = pairs.find((one) => one.first === first?.label && one.second === second?.label);
  if (tied.length === 2 && pair !== undefined && !excludesZero(pair)) {
    return `${tied.join(" and ")} are not distinguished: difference in ${quantity(best)} ${differenceText(pair)}`;
  }
  if (tied.length > 2) {
    const names =
      tied.length > NAMED ? [...tied.slice(0, NAMED - 1), `${tied.length - NAMED + 1} more`] : tied;
    return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are not distinguished as the best; ${best.label} has the ${superlative(best)} ${quantity(best)}, ${valueText(best)}`;
  }
  if (pair !== undefined && !excludesZero(pair)) {
    return `${best.label} has the ${superlative(best)} ${quantity(best)}, ${valueText(best)}, but is not distinguished from ${pair.second}: difference ${differenceText(pair)}`;
  }
  const lead = pair === undefined ? "" : `, ahead of ${pair.second} by ${differenceText(pair)}`;
  return `${best.label} has the ${superlative(best)} ${quantity(best)}, ${valueText(best)}${lead}`;
}

const superlative = ({ main }: Entry) => (main.better === "lower" ? "lowest" : "highest");

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
