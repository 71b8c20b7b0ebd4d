import type { Estimate } from "../metrics/estimate.ts";
import { estimateCell } from "./estimates.ts";
import { count, fixed, UNDEFINED } from "./numbers.ts";
import type { Panel } from "./panels.ts";
import type { Cell, Table } from "./tables/table.ts";

/** What each quirk of the original does to each model's numbers, both ways of counting over the same answers. */
export function quirksTable({ entries }: Panel): Table | undefined {
  const rows = quirksOf({ entries }).flatMap(({ label: quirk }) => {
    // An entry counts its own answers both ways, so one per model is enough: the first that knows of this quirk.
    const seen = new Set<string>();
    return entries.flatMap(({ label, result }): Cell[][] => {
      const found = result.quirks.find((one) => one.label === quirk);
      if (found === undefined || seen.has(label)) return [];
      seen.add(label);
      const { paper, corrected } = found.effect;
      return [[quirk, label, effectCell(paper), effectCell(corrected)]];
    });
  });
  if (rows.length === 0) return undefined;
  return {
    caption: "The same answers counted as the original's scripts do, and as its paper says",
    columns: [
      { heading: "quirk", align: "left" },
      { heading: "model", align: "left" },
      { heading: "paper", align: "right" },
      { heading: "corrected", align: "right" },
    ],
    rows,
  };
}

/** The quirks that touch a panel, each once, in the order of their labels' first occurrence. */
export function quirksOf({ entries }: Pick<Panel, "entries">): { label: string; says: string }[] {
  const says = new Map<string, string>();
  for (const { result } of entries) {
    for (const quirk of result.quirks) if (!says.has(quirk.label)) says.set(quirk.label, quirk.says);
  }
  return [...says].map(([label, text]) => ({ label, says: text }));
}

function effectCell(effect: Estimate | number | null): Cell {
  if (effect === null) return UNDEFINED;
  if (typeof effect === "number") return Math.abs(effect) >= 1000 ? count(effect) : fixed(effect, 4);
  return estimateCell(effect.value, effect, 4);
}
