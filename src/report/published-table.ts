import {
  agreementWithPublished,
  type Comparison,
  comparePublished,
  isDeterministic,
  whyNotComparable,
} from "../evaluation/published/compare-published.ts";
import { PRINTED_TOLERANCE, type PublishedResult } from "../evaluation/published/published-result.ts";
import type { CustomForms } from "../evaluation/runs/forms.ts";
import type { CellResult } from "../evaluation/runs/stored-results.ts";
import { estimateCell } from "./estimates.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Entry, Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** Published numbers for a panel's results. */
export interface PublishedValues {
  /** One per comparable number. */
  readonly lines: readonly PublishedLine[];
  /** Reasons why entries of families with published values are not comparable, one sentence each. */
  readonly reasons: readonly string[];
}

interface PublishedLine {
  readonly label: string;
  readonly result: CellResult;
  readonly comparison: Comparison;
}

export function publishedValues(
  { task, setting, entries }: Pick<Panel, "task" | "setting" | "entries">,
  published: readonly PublishedResult[],
  forms?: CustomForms,
): PublishedValues {
  const ofPanel = published.filter((one) => one.task === task && one.setting === setting);
  const withRecords = entries.filter(({ result }) => ofPanel.some(({ family }) => family === result.family));
  const lines = withRecords.flatMap(({ label, result }) =>
    comparePublished(result, ofPanel, forms).map((comparison) => ({ label, result, comparison })),
  );
  return { lines, reasons: reasonsOf(withRecords, forms) };
}

/**
 * Reasons with the models that they apply to. If a model has both protocols, only the paper protocol's reason
 * is reported.
 */
function reasonsOf(entries: readonly Entry[], forms?: CustomForms): readonly string[] {
  const models = new Map<string, Set<string>>();
  for (const { label, protocol, result } of entries) {
    const other = entries.some((one) => one.label === label && one.protocol !== protocol);
    const why = other && protocol === "corrected" ? undefined : whyNotComparable(result, forms);
    if (why !== undefined) models.set(why, (models.get(why) ?? new Set()).add(label));
  }
  return [...models].map(
    ([why, labels]) => `No published value is shown for ${[...labels].join(", ")} (${why}).`,
  );
}

/** Table of published numbers and ours under the paper protocol; undefined without comparable results. */
export function publishedTable(
  { lines, reasons }: PublishedValues,
  {
    setting,
    entries,
    forms,
  }: Pick<Panel, "setting" | "entries"> & { readonly forms?: CustomForms | undefined },
): Table | undefined {
  if (lines.length === 0) return undefined;
  const headings = ["published", "ours, paper protocol", "ours − published"];
  return {
    caption: "Published values and ours under the paper protocol",
    columns: [
      { heading: "model", align: "left" },
      { heading: "metric", align: "left" },
      { heading: "published in", align: "left" },
      ...headings.map((heading) => ({ heading, align: "right" as const })),
      { heading: "agreement", align: "left" },
      { heading: "quirks", align: "left" },
    ],
    rows: lines.map(({ label, result, comparison }): TableCell[] => {
      const { published, own } = comparison;
      return [
        label,
        own.title,
        published.superseded ? `${published.edition} (superseded)` : published.edition,
        number(published.value, published),
        own.value === null
          ? UNDEFINED
          : own.interval === undefined
            ? number(own.value, published)
            : estimateCell(own.value, own.interval),
        own.value === null ? UNDEFINED : fixed(own.value - published.value, 3),
        verdict(comparison),
        quirksOf(result),
      ];
    }),
    notes: notesOf(isDeterministic(setting, forms), entries, lines, reasons),
  };
}

function number(value: number, { metric }: PublishedResult): string {
  if (metric.includes("_p_")) return value === 0 ? "0" : pValue(value);
  return Number.isInteger(value) && Math.abs(value) > 1 ? count(value) : fixed(value, 3);
}

function verdict(comparison: Comparison): string {
  switch (agreementWithPublished(comparison)) {
    case "same":
      return "same";
    case "within the interval":
      return "within our interval";
    case "another":
      return "different";
    default:
      return UNDEFINED;
  }
}

/** Labels of the quirks that change this cell's numbers. */
function quirksOf({ quirks }: CellResult): string {
  const labels = quirks
    .filter(({ effect: { paper, corrected } }) => JSON.stringify(paper) !== JSON.stringify(corrected))
    .map(({ label }) => label);
  return labels.length === 0 ? UNDEFINED : [...new Set(labels)].join(", ");
}

function notesOf(
  deterministic: boolean,
  entries: readonly Entry[],
  lines: readonly PublishedLine[],
  reasons: readonly string[],
): string[] {
  const fewer = entries.some(({ result: { cell } }) => cell.limit !== null || cell.sample !== undefined);
  const declared = lines.some(({ result }) => result.cell.model.identity?.startsWith("activity scores "));
  const sources = lines.map(({ comparison: { published } }) => shortSource(published.source));
  return [
    deterministic
      ? `"same" means within ${PRINTED_TOLERANCE}, the agreement of the printed numbers with the authors' own notebooks.`
      : "Training runs differ: the authors' second runs changed correlations by up to 0.15 and AUROCs by up to 0.07.",
    ...(fewer
      ? ["The run has fewer rows than the benchmark, so a difference within the interval is not significant."]
      : []),
    ...(declared
      ? ["Scores computed elsewhere are attributed to the published model because the run declares it."]
      : []),
    ...reasons,
    `Published: ${[...new Set(sources)].join("; ")}.`,
    ...new Set(lines.flatMap(({ comparison: { published } }) => published.note ?? [])),
  ];
}

/** Source up to the first comma: table and version, or notebook. */
const shortSource = (source: string) => source.replace(/,.*$/s, "");
