import { agreement, type Comparison, isDeterministic } from "../evaluation/published/compare-published.ts";
import { PRINTED_TOLERANCE } from "../evaluation/published/published-result.ts";
import type { CellResult } from "../evaluation/runs/result.ts";
import type { Protocol } from "../models/model.ts";
import { estimateCell } from "./estimates.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Entry } from "./panels.ts";
import type { ReportPanel } from "./report.ts";
import type { Cell, Column, Table } from "./tables/table.ts";

/** One published number with ours under each protocol that was run. */
interface Line {
  readonly label: string;
  readonly own: Partial<Record<Protocol, { readonly comparison: Comparison; readonly result: CellResult }>>;
}

/**
 * What the authors printed beside what came out here, a column for each protocol that was run; undefined where nothing was
 * published of these models, or the data are not the benchmark's.
 */
export function publishedTable(
  panel: Pick<ReportPanel, "entries" | "comparisons" | "setting">,
): Table | undefined {
  const lines = linesOf(panel);
  if (lines.length === 0) return undefined;
  const protocols = (["paper", "corrected"] as const).filter((protocol) =>
    lines.some(({ own }) => own[protocol] !== undefined),
  );
  const columns: Column[] = [
    { heading: "model", align: "left" },
    { heading: "metric", align: "left" },
    { heading: "published", align: "right" },
    ...protocols.map((protocol) => ({ heading: protocol, align: "right" }) as const),
    { heading: "ours − published", align: "right" },
    { heading: "the published number is", align: "left" },
    { heading: "quirks", align: "left" },
  ];
  const rows = lines.map(({ label, own }): Cell[] => {
    // What the authors' programs did is to be compared with what the authors printed.
    const { comparison, result } = (own.paper ?? own.corrected)!;
    const { published } = comparison;
    return [
      label,
      titleOf(comparison),
      number(published.value, comparison),
      ...protocols.map((protocol) => {
        const mine = own[protocol]?.comparison;
        if (mine?.own.value == null) return UNDEFINED;
        return mine.own.interval === undefined
          ? number(mine.own.value, mine)
          : estimateCell(mine.own.value, mine.own.interval);
      }),
      comparison.own.value === null ? UNDEFINED : fixed(comparison.own.value - published.value, 3),
      verdict(comparison),
      quirksOf(result),
    ];
  });
  return {
    caption: "What was published, and what came out here",
    columns,
    rows,
    notes: notesOf(panel, lines),
  };
}

function linesOf({ entries, comparisons }: Pick<ReportPanel, "entries" | "comparisons">): Line[] {
  const lines = new Map<string, Line>();
  for (const { label, protocol, result } of entries as readonly Entry[]) {
    for (const comparison of comparisons.get(result.identity) ?? []) {
      const { metric, dataset } = comparison.published;
      const key = JSON.stringify([label, metric, dataset]);
      const line = lines.get(key);
      const own = { ...line?.own, [protocol]: { comparison, result } };
      lines.set(key, { label, own });
    }
  }
  return [...lines.values()];
}

const titleOf = ({ own }: Comparison) => own.title;

function number(value: number, { published }: Comparison): string {
  if (published.metric.includes("_p_")) return value === 0 ? "0" : pValue(value);
  return Number.isInteger(value) && Math.abs(value) > 1 ? count(value) : fixed(value, 3);
}

function verdict(comparison: Comparison): string {
  switch (agreement(comparison)) {
    case "same":
      return "the same";
    case "within the interval":
      return "within our interval";
    case "another":
      return "another";
    default:
      return UNDEFINED;
  }
}

/** Labels of the quirks that change a number of this cell. */
function quirksOf({ quirks }: CellResult): string {
  const labels = quirks
    .filter(({ effect: { paper, corrected } }) => JSON.stringify(paper) !== JSON.stringify(corrected))
    .map(({ label }) => label);
  return labels.length === 0 ? UNDEFINED : [...new Set(labels)].join(", ");
}

function notesOf(
  { setting, entries }: Pick<ReportPanel, "entries" | "setting">,
  lines: readonly Line[],
): string[] {
  const compared = lines.map(({ own }) => (own.paper ?? own.corrected)!);
  const sources = new Set(compared.map(({ comparison: { published } }) => shortSource(published.source)));
  const fewer = entries.some(({ result: { cell } }) => cell.limit !== null || cell.sample !== undefined);
  return [
    isDeterministic(setting)
      ? `The same means within ${PRINTED_TOLERANCE}: so well do the printed numbers agree with the authors' own notebooks.`
      : "Two trainings differ: the authors' own second runs moved correlations by up to 0.15 and AUROCs by up to 0.07.",
    ...(fewer
      ? ["Fewer rows were asked than the benchmark has, so a difference within the interval says nothing."]
      : []),
    ...(lines.some(({ own }) => own.paper === undefined)
      ? ["Without a run under the paper protocol, the published numbers stand beside corrected ones."]
      : []),
    `Published: ${[...sources].join("; ")}.`,
    ...new Set(compared.flatMap(({ comparison: { published } }) => published.note ?? [])),
  ];
}

/** Up to the first comma: which table of which version, which notebook. */
const shortSource = (source: string) => source.replace(/,.*$/s, "");
