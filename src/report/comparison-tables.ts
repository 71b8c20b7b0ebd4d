import type {
  ComparedGroup,
  ComparedPair,
  ModelsCompared,
  Ranking,
  SeparateModels,
} from "../evaluation/comparison/comparison.ts";
import { contextText } from "../evaluation/runs/cell.ts";
import { basisText, estimateCell, intervalText, metricHeading } from "./estimates.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Table, TableCell } from "./table.ts";

/** `Regulatory elements, zero-shot, corrected`, with the data set if there is one. */
function groupTitle({ task, dataset, context, setting, protocol }: ComparedGroup): string {
  return [task, dataset, contextText(context), setting, protocol]
    .filter((part) => part !== undefined)
    .join(", ");
}

/** Models of a group, best first: main metric, probability of being the best, tie group. */
export function comparedModelsTable(group: ComparedGroup): Table {
  const { models, metric, rows, notes } = group;
  const left = models.filter(({ why }) => why !== undefined);
  return {
    caption: `${groupTitle(group)}: ${count(rows.compared)} rows in ${count(rows.blocks)} blocks`,
    columns: [
      { heading: "model", align: "left" },
      { heading: metricHeading(metric), align: "right" },
      { heading: "P(best)", align: "right" },
      { heading: "tie group", align: "right" },
    ],
    rows: models.map(({ label, value, estimate, best, tier }): TableCell[] => [
      label,
      estimateCell(value, estimate ?? undefined),
      best === null ? UNDEFINED : `${(100 * best).toFixed(best >= 0.9995 || best < 0.0005 ? 0 : 1)} %`,
      tier === null ? UNDEFINED : String(tier),
    ]),
    notes: [
      "in brackets: 95 % interval; P(best): probability that the true value is the best; tie group 1 holds the truly best model with a probability of at least 95 %.",
      ...left.map(({ label, why }) => `${label} is not compared: ${why}.`),
      ...notes,
    ],
  };
}

/** Differences of pairs of models with their tests. */
export function comparedPairsTable({ pairs, metric }: ComparedGroup): Table {
  const bases = pairs.flatMap(({ difference }) => {
    if (difference?.basis === undefined) return [];
    const { neighbourCorrelation: _, ...blocks } = difference.basis;
    return [basisText(blocks)];
  });
  const named = { "sign-flip": "sign-flip test over blocks", t: "Student's t over blocks" } as const;
  const tests = [...new Set(pairs.map(({ test }) => named[test]))];
  return {
    caption: `Differences in ${metric.title}`,
    columns: [
      { heading: "pair", align: "left" },
      { heading: "difference", align: "right" },
      { heading: "p", align: "right" },
      { heading: "Holm p", align: "right" },
      { heading: "q", align: "right" },
      { heading: "rows to decide", align: "right" },
    ],
    rows: pairs.map((pair): TableCell[] => [
      `${pair.first} − ${pair.second}`,
      differenceCell(pair),
      ...[pair.p, pair.pHolm, pair.q].map((p) => pValue(p ?? Number.NaN)),
      pair.rowsToDecide === null ? UNDEFINED : count(pair.rowsToDecide),
    ]),
    notes: [
      `p: ${tests.join(" or ")}${bases.length === 0 ? "" : ` (${[...new Set(bases)].join("; ")})`}; Holm p: within these pairs; q: Benjamini–Hochberg over all pairs of this comparison; rows to decide: for a power of 80 %.`,
    ],
  };
}

function differenceCell({ value, difference }: ComparedPair): TableCell {
  return { text: fixed(value), detail: difference === null ? "" : intervalText(difference) };
}

/** Fields in which the cells of a group differ; undefined if they do not. */
export function differingTable({ differing, models }: ComparedGroup): Table | undefined {
  if (differing.length === 0) return undefined;
  return {
    caption: "Differences between the runs",
    columns: [
      { heading: "field", align: "left" },
      ...models.map(({ label }) => ({ heading: label, align: "left" as const })),
    ],
    rows: differing.map(({ field, values }) => [
      field,
      ...models.map(({ label }) => shortened(values[label] ?? "none")),
    ]),
  };
}

/** Text with digests by their first digits, and without most of the digits of long lists of numbers. */
const shortened = (text: string) =>
  text
    .replace(/\b([0-9a-f]{8})[0-9a-f]{8,}\b/g, "$1")
    .replace(/((?:[\d.]+,){3})(?:[\d.]+,){2,}[\d.]+/g, "$1…");

/** Mean ranks of models over groups. */
export function rankingTable({ kind, protocol, groups, models }: Ranking): Table {
  return {
    caption: `Mean rank over ${groups.length} ${kind} ${groups.length === 1 ? "comparison" : "comparisons"}, ${protocol}`,
    columns: [
      { heading: "model", align: "left" },
      { heading: "mean rank", align: "right" },
    ],
    rows: models.map(({ name, meanRank, low, high }): TableCell[] => [
      name,
      { text: fixed(meanRank, 2), detail: `[${fixed(low, 2)}, ${fixed(high, 2)}]` },
    ]),
  };
}

/** Why models of two groups are not compared with each other. */
export function separateText(
  { task, setting, reasons, groups }: SeparateModels,
  all: ModelsCompared,
): string {
  const [first, second] = groups.map((group) =>
    all.groups[group].models.map(({ label }) => label).join(", "),
  );
  return `${task}, ${setting}: ${first} and ${second} are not compared: ${reasons.join("; ")}.`;
}
