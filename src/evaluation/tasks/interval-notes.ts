import type { Blocks } from "../../metrics/blocks.ts";
import type { Metric } from "./measurement.ts";

/** Metrics that a note names; of more it gives the number. */
const NAMED = 3;

/**
 * A note per reason why printed intervals may cover less than they state: `Interval not reliable (3 blocks): paired accuracy.`
 *
 * @param blocks  of the task's rows: a single one has no interval over blocks, so that those for independent rows are printed
 */
export function intervalNotes(metrics: readonly Metric[], blocks: Blocks): readonly string[] {
  if (blocks.sizes.length === 1) return ["Intervals not reliable (1 block): they take rows as independent."];
  const byReason = new Map<string, string[]>();
  for (const { title, intervals } of metrics) {
    const reason = intervals.find(({ basis }) => basis !== undefined)?.basis?.unreliable;
    if (reason === undefined) continue;
    const titles = byReason.get(reason);
    if (titles === undefined) byReason.set(reason, [title]);
    else titles.push(title);
  }
  return [...byReason].map(([reason, titles]) => {
    const more = titles.length > NAMED ? ` and ${titles.length - NAMED} more` : "";
    return `Interval not reliable (${reason}): ${titles.slice(0, NAMED).join("; ")}${more}.`;
  });
}
