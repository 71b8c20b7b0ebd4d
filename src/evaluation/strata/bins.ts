import { lowerBound } from "../../base/binary-search.ts";
import { InputError } from "../../base/errors.ts";
import { percentiles } from "../../metrics/quantiles.ts";
import type { StratumValue } from "../tasks/stratification.ts";

/** Name of a stratum; with its bounds if it is a bin of numbers. */
export interface StratumName {
  readonly name: string;
  /** Least number, included; null: no lower bound. Present for bins. */
  readonly from?: number | null;
  /** Upper bound, excluded; null: no upper bound. Present for bins. */
  readonly to?: number | null;
}

/** Rows grouped by their values. */
export interface GroupedRows {
  /** In the order of tables: bins ascending, names sorted. */
  readonly strata: readonly StratumName[];
  /** Index of each row's stratum; -1 for rows without a value. [rows] */
  readonly of: Int32Array;
}

/** Options of `groupValues`. */
export interface GroupingOptions {
  /** Number of quantile bins; default 4. */
  readonly bins?: number;
  /** Ascending edges of bins; a value equal to an edge is in the bin above it. */
  readonly edges?: readonly number[] | undefined;
  /** Names in the order of tables; others follow. */
  readonly order?: readonly string[];
}

/** Quantile bins of numbers. */
const BINS = 4;

/** Numbers with at most this many distinct values are strata themselves. */
const DISTINCT_NUMBERS = 6;

/** More distinct names identify rows instead of grouping them. */
const MAX_NAMES = 2000;

/**
 * Groups rows by their values: numbers by quantile bins or by edges, texts by equality. Few distinct numbers,
 * such as 0 and 1, are grouped by equality.
 *
 * @param title   name of the values for messages
 * @param values  one per row; undefined if unknown
 * @throws {InputError} when edges are not ascending or given for texts, or there are too many distinct texts
 */
export function groupValues(
  title: string,
  values: readonly (StratumValue | undefined)[],
  { bins = BINS, edges, order = [] }: GroupingOptions = {},
): GroupedRows {
  const known = values.filter((value) => value !== undefined);
  const numbers = known.filter((value) => typeof value === "number");
  if (numbers.length < known.length) {
    if (edges === undefined) return groupNames(title, values, order);
    throw new InputError(`${title} has the value ${JSON.stringify(known.find(isText))}: edges need numbers`);
  }
  const distinct = new Set(numbers);
  if (edges === undefined && distinct.size <= DISTINCT_NUMBERS) {
    const ascending = [...distinct].sort((a, b) => a - b);
    return {
      strata: ascending.map((value) => ({ name: String(value) })),
      of: Int32Array.from(values, (value) => (isText(value) ? -1 : ascending.indexOf(value ?? Number.NaN))),
    };
  }
  const cuts = edges === undefined ? quantileEdges(numbers, bins) : ascendingEdges(title, edges);
  const of = Int32Array.from(values, (value) => (typeof value === "number" ? binOf(value, cuts) : -1));
  return { strata: binNames(cuts), of };
}

const isText = (value: unknown): value is string => typeof value === "string";

function groupNames(
  title: string,
  values: readonly (StratumValue | undefined)[],
  order: readonly string[],
): GroupedRows {
  const found = new Set(values.flatMap((value) => (value === undefined ? [] : [String(value)])));
  if (found.size > MAX_NAMES) {
    throw new InputError(`${title} has ${found.size} distinct values: they do not group rows`, {
      hint: "choose a column of numbers or of few names",
    });
  }
  const others = [...found].filter((name) => !order.includes(name)).sort(NATURAL.compare);
  const names = [...order.filter((name) => found.has(name)), ...others];
  const numberOf = new Map(names.map((name, i) => [name, i]));
  return {
    strata: names.map((name) => ({ name })),
    of: Int32Array.from(values, (value) => (value === undefined ? -1 : (numberOf.get(String(value)) ?? -1))),
  };
}

/** Order of names with numbers: chr2 before chr10. */
const NATURAL = new Intl.Collator("en", { numeric: true });

/** Edges that divide numbers into bins of about equal size; fewer where numbers are equal. */
function quantileEdges(numbers: readonly number[], bins: number): readonly number[] {
  const shares = Array.from({ length: bins - 1 }, (_, i) => (100 * (i + 1)) / bins);
  const ascending = Float64Array.from(new Set(numbers)).sort();
  // An edge at the least number would leave the first bin empty.
  const edges = percentiles(numbers, shares).map((edge) => (edge > ascending[0] ? edge : ascending[1]));
  return [...new Set(edges)];
}

function ascendingEdges(title: string, edges: readonly number[]): readonly number[] {
  if (edges.length > 0 && edges.every((edge, i) => Number.isFinite(edge) && !(edge <= edges[i - 1]))) {
    return edges;
  }
  throw new InputError(`the edges of ${title} are ${edges.join(", ")}; expected ascending numbers`);
}

/** Bin of a value: the number of edges up to it. */
function binOf(value: number, edges: readonly number[]): number {
  const below = lowerBound(edges, value);
  return edges[below] === value ? below + 1 : below;
}

function binNames(edges: readonly number[]): readonly StratumName[] {
  const texts = edgeTexts(edges);
  return Array.from({ length: edges.length + 1 }, (_, i) => {
    const [from, to] = [edges[i - 1] ?? null, edges[i] ?? null];
    const name =
      from === null && to === null
        ? "all values"
        : from === null
          ? `< ${texts[i]}`
          : to === null
            ? `≥ ${texts[i - 1]}`
            : `${texts[i - 1]} to ${texts[i]}`;
    return { name, from, to };
  });
}

/** Edges with three significant digits, or more if two would be equal. */
function edgeTexts(edges: readonly number[]): readonly string[] {
  for (let digits = 3; digits < 16; digits++) {
    const texts = edges.map((edge) =>
      Number(edge.toPrecision(Math.max(digits, Number.isInteger(edge) ? 16 : 0))).toLocaleString("en-US", {
        maximumSignificantDigits: 16,
      }),
    );
    if (new Set(texts).size === edges.length) return texts;
  }
  return edges.map(String);
}
