import { counted } from "../base/message-text.ts";
import type { CellStrata, StratifiedMetric, StratumMetric } from "../evaluation/strata/strata-file.ts";
import { ARROWS, estimateCell } from "./estimates.ts";
import { count, UNDEFINED } from "./numbers.ts";
import type { Entry, Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** Strata of a panel's results by cell identity. */
export type StrataOfCells = ReadonlyMap<string, CellStrata>;

/** An entry of a panel with one of its stratifications. */
interface StratifiedEntry extends Pick<Entry, "label" | "protocol"> {
  readonly strata: CellStrata;
  readonly found: StratifiedMetric;
}

/**
 * Tables of the main metric by stratum, one per stratification: a line per stratum, a column per model. Empty
 * if no result has strata.
 */
export function strataTables({ entries }: Pick<Panel, "entries">, strataOf: StrataOfCells): readonly Table[] {
  const known = entries.flatMap(({ label, protocol, result }) => {
    const strata = strataOf.get(result.identity);
    return strata === undefined ? [] : [{ label, protocol, strata }];
  });
  const names = new Set(known.flatMap(({ strata }) => strata.stratifications.map(({ name }) => name)));
  return [...names].map((name) =>
    strataTable(
      known.flatMap((entry) => {
        const found = entry.strata.stratifications.find((one) => one.name === name);
        return found === undefined ? [] : [{ ...entry, found }];
      }),
    ),
  );
}

function strataTable(entries: readonly StratifiedEntry[]): Table {
  const [{ strata, found }] = entries;
  const { metric, rule } = strata;
  const bothProtocols = new Set(entries.map(({ protocol }) => protocol)).size > 1;
  const arrow = metric.better === "neither" ? "" : ` ${ARROWS[metric.better]}`;
  const lines = [
    lineOf(
      "all rows",
      entries.map((entry) => entry.strata.whole),
    ),
    ...found.strata.map(({ name }) =>
      lineOf(
        name,
        entries.map((entry) => entry.found.strata.find((stratum) => stratum.name === name)),
      ),
    ),
  ];
  const reasons = reasonsOf(entries);
  return {
    caption: `${metric.column ?? metric.title}${arrow} by ${found.title}`,
    columns: [
      { heading: "stratum", align: "left" },
      { heading: "rows", align: "right" },
      { heading: "blocks", align: "right" },
      ...entries.map(({ label, protocol }) => ({
        heading: bothProtocols ? `${label} (${protocol})` : label,
        align: "right" as const,
      })),
    ],
    rows: lines,
    notes: [
      `In brackets: 95 % interval over blocks. Without a value: fewer than ${rule.rows} rows, ${rule.blocks} blocks, or ${rule.ofClass} rows of a class.`,
      ...reasons,
      ...(found.shared === 0
        ? []
        : [`${counted(found.shared, "row")} are in every stratum and not counted.`]),
      ...(found.unknown === 0 ? [] : [`${counted(found.unknown, "row")} without a value are in no stratum.`]),
      ...new Set(entries.flatMap(({ found: { notes } }) => notes)),
    ],
  };
}

/** Line of a stratum: its rows, the blocks of the first interval, and each model's metric. */
function lineOf(name: string, metrics: readonly (StratumMetric | undefined)[]): TableCell[] {
  const first = metrics.find((metric) => metric !== undefined);
  const basis = metrics.find((metric) => metric?.interval?.basis !== undefined)?.interval?.basis;
  return [
    name,
    count(first?.rows ?? 0),
    basis === undefined ? UNDEFINED : count(basis.blocks),
    ...metrics.map((metric) =>
      metric === undefined ? UNDEFINED : estimateCell(metric.value, metric.interval ?? undefined),
    ),
  ];
}

/** Reasons of strata without a metric: `[0.1, 0.2): 3 blocks`. */
function reasonsOf(entries: readonly StratifiedEntry[]): readonly string[] {
  const reasons = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { name, suppressed } of entries.flatMap(({ found }) => found.strata)) {
    if (suppressed === undefined || seen.has(name)) continue;
    seen.add(name);
    reasons.set(suppressed, [...(reasons.get(suppressed) ?? []), name]);
  }
  const shown = [...reasons].slice(0, MAX_REASONS);
  const more = reasons.size - shown.length;
  if (shown.length === 0) return [];
  const texts = shown.map(([why, names]) =>
    names.length > MAX_NAMED
      ? `${counted(names.length, "stratum", "strata")}: ${why}`
      : `${names.join(", ")}: ${why}`,
  );
  return [`Too small: ${texts.join("; ")}${more > 0 ? `; and ${more} more reasons` : ""}.`];
}

const MAX_REASONS = 6;
const MAX_NAMED = 3;
