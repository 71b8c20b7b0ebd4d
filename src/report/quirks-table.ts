import { allQuirks, type CustomForms, findTask } from "../evaluation/runs/forms.ts";
import { scoreQuirks } from "../evaluation/tasks/recipe.ts";
import type { Estimate } from "../metrics/intervals.ts";
import { estimateCell, metricCell } from "./estimates.ts";
import { count, fixed, UNDEFINED } from "./numbers.ts";
import type { Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** Effect of each quirk on each model's numbers, measured under both protocols from the same scores. */
export function quirksTable({ entries }: Panel): Table | undefined {
  const rows = quirksOf({ entries }).flatMap(({ label: quirk }) => {
    // An entry has the numbers of both protocols, so the first entry of each model suffices.
    const seen = new Set<string>();
    return entries.flatMap(({ label, result }): TableCell[][] => {
      const found = result.quirks.find((one) => one.label === quirk);
      if (found === undefined || seen.has(label)) return [];
      seen.add(label);
      const { paper, corrected } = found.effect;
      return [[quirk, label, effectCell(paper), effectCell(corrected)]];
    });
  });
  if (rows.length === 0) return undefined;
  return {
    caption: "Same scores, measured under both protocols",
    columns: [
      { heading: "quirk", align: "left" },
      { heading: "model", align: "left" },
      { heading: "paper", align: "right" },
      { heading: "corrected", align: "right" },
    ],
    rows,
  };
}

/**
 * Main metric of models that were run under both protocols, for quirks that change scores. A row shows the
 * joint effect of its quirks. Undefined without such models.
 */
export function scoreQuirksTable({
  task,
  setting,
  entries,
  forms,
}: Panel & { readonly forms?: CustomForms | undefined }): Table | undefined {
  const form = findTask(task, forms)?.settings[setting] ?? {};
  const rows = entries.flatMap((corrected): TableCell[][] => {
    const paper = entries.find(({ label, protocol }) => label === corrected.label && protocol === "paper");
    if (corrected.protocol !== "corrected" || paper === undefined) return [];
    const quirks = scoreQuirks(form, corrected.result.family);
    if (quirks.length === 0) return [];
    return [[quirks.join(", "), corrected.label, metricCell(paper.main), metricCell(corrected.main)]];
  });
  if (rows.length === 0) return undefined;
  const named = new Set(rows.flatMap(([labels]) => String(labels).split(", ")));
  return {
    caption: `Scored under both protocols: ${entries[0].main.title}`,
    columns: [
      { heading: "quirks that change scores", align: "left" },
      { heading: "model", align: "left" },
      { heading: "paper", align: "right" },
      { heading: "corrected", align: "right" },
    ],
    rows,
    notes: allQuirks(forms)
      .filter(({ label }) => named.has(label))
      .map(({ label, title }) => `${label}: ${title}.`),
  };
}

/** Distinct quirks of a panel, in order of first occurrence. */
export function quirksOf({ entries }: Pick<Panel, "entries">): { label: string; description: string }[] {
  const descriptions = new Map<string, string>();
  for (const { result } of entries) {
    for (const quirk of result.quirks)
      if (!descriptions.has(quirk.label)) descriptions.set(quirk.label, quirk.description);
  }
  return [...descriptions].map(([label, description]) => ({ label, description }));
}

function effectCell(effect: Estimate | number | null): TableCell {
  if (effect === null) return UNDEFINED;
  if (typeof effect === "number") return Math.abs(effect) >= 1000 ? count(effect) : fixed(effect, 4);
  return estimateCell(effect.value, effect, 4);
}
