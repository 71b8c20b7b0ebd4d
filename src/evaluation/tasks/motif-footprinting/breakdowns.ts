import { valueAt } from "../../../base/record.ts";
import { blocksBy } from "../../../metrics/blocks.ts";
import { clusteredProportion } from "../../../metrics/clustered-proportion.ts";
import { mean } from "../../../metrics/mean.ts";
import { type Breakdown, finiteOrNull, type Measurement } from "../measurement.ts";
import { type Comparisons, groupsOf, type MotifResult } from "./motifs.ts";

/** Minimum motifs of a family that is reported, as in the original's figures. */
const MIN_MOTIFS = 10;

/** False discovery rate of the motifs found. */
export const FALSE_DISCOVERY_RATE = 0.05;

const MOTIFS = "motifs";

/** All motifs, with the columns of the original's table. */
export function motifBreakdown(results: readonly MotifResult[]): Breakdown {
  return {
    name: MOTIFS,
    group: "motif",
    columns: [
      { name: "accuracy", title: "accuracy" },
      { name: "low", title: "lower bound" },
      { name: "high", title: "upper bound" },
      { name: "p", title: "Wilcoxon signed-rank p, one-sided" },
      { name: "q", title: "q-value (Benjamini–Hochberg)" },
      { name: "vs-background", title: "share of rows whose motif changes the score more than its shuffle" },
    ],
    rows: results.map(({ motif, family, accuracy, p, q, vsBackground }) => ({
      name: motif,
      ...(family === undefined ? {} : { within: family }),
      values: [accuracy.value, accuracy.low, accuracy.high, p, q, vsBackground].map(finiteOrNull),
    })),
  };
}

/** Families of at least ten motifs, by name. */
export function familyBreakdown(
  { motifs, backgrounds }: Comparisons,
  outcomes: Float64Array,
  results: readonly MotifResult[],
): Breakdown {
  const rowsOf = groupsOf(motifs);
  const known = results.flatMap(({ motif, family, ...result }) =>
    family === undefined ? [] : [{ ...result, motif, family }],
  );
  const families = [...groupsOf(known.map(({ family }) => family))]
    .filter(([, members]) => members.length >= MIN_MOTIFS)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: "families",
    group: "family of transcription factors",
    columns: [
      { name: "accuracy", title: "accuracy" },
      { name: "low", title: "lower bound" },
      { name: "high", title: "upper bound" },
      { name: "motifs", title: "motifs" },
      { name: "found", title: `distinguished motifs (false discovery rate ${FALSE_DISCOVERY_RATE})` },
    ],
    rows: families.map(([name, members]) => {
      const some = members.map((member) => known[member]);
      const rows = some.flatMap(({ motif }) => valueAt(rowsOf, motif));
      const { value, low, high } = clusteredProportion(
        Float64Array.from(rows, (row) => outcomes[row]),
        blocksBy(
          rows.map((row) => backgrounds[row]),
          "background",
        ),
      );
      return {
        name,
        values: [...[value, low, high].map(finiteOrNull), some.length, finiteOrNull(found(some))],
      };
    }),
  };
}

/**
 * All backgrounds with their accuracies over all motifs. Models are compared by these, since backgrounds are
 * independent.
 */
export function backgroundBreakdown({ backgrounds }: Comparisons, outcomes: Float64Array): Breakdown {
  return {
    name: "backgrounds",
    group: "background",
    columns: [
      { name: "accuracy", title: "accuracy" },
      { name: "rows", title: "comparisons" },
    ],
    rows: [...groupsOf(backgrounds.map(String))].map(([name, rows]) => ({
      name,
      values: [finiteOrNull(mean(Float64Array.from(rows, (row) => outcomes[row]))), rows.length],
    })),
  };
}

/** Minimum differences for a significant test of a motif: five equal signs have p = 1/32. */
export const MIN_TESTED = Math.ceil(-Math.log2(FALSE_DISCOVERY_RATE));

/** Number of motifs distinguished from their shuffles; NaN if no motif has enough differences for a test. */
export const found = (results: readonly MotifResult[]) =>
  results.some(({ tested }) => tested >= MIN_TESTED)
    ? results.filter(({ q }) => q <= FALSE_DISCOVERY_RATE).length
    : Number.NaN;

/**
 * The original's table of motifs: an index of names, then `Accuracy`, `P-Value` and, of likelihoods,
 * `Accuracy vs Background`; tab-separated, an undefined number left empty.
 */
export function publishedMotifs({ breakdowns = [] }: Measurement): string {
  const rows = breakdowns.find(({ name }) => name === MOTIFS)?.rows ?? [];
  const columns = [
    { title: "Accuracy", column: 0 },
    { title: "P-Value", column: 3 },
    ...(rows.some(({ values }) => values[5] !== null)
      ? [{ title: "Accuracy vs Background", column: 5 }]
      : []),
  ];
  const lines = rows.map(({ name, values }) =>
    [name, ...columns.map(({ column }) => pythonText(values[column]))].join("\t"),
  );
  return `${[["", ...columns.map(({ title }) => title)].join("\t"), ...lines].join("\n")}\n`;
}

/** A number in Python's float format: shortest round-trip digits, with a point, exponents of two digits. */
function pythonText(value: number | null): string {
  if (value === null) return "";
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  if (!text.includes("e")) return text.includes(".") ? text : `${text}.0`;
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}
