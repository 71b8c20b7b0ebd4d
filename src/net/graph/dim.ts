import { GraphError } from "./graph-error.ts";

/**
 * Size of one axis: a number, or text for a size known only when the program runs. The text is a sum of
 * products in canonical order, such as `b`, `b*t` or `2*t+1`, so that equal sizes are equal strings. A symbol
 * is a name or, as `ceil(t/64)`, the number of chunks of a named size.
 */
export type Dim = number | string;

/** Shape of a symbolic tensor: one size per axis. */
export type Shape = readonly Dim[];

/** One product of a symbolic size: a coefficient times symbols. */
export interface DimTerm {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

/** Terms of a size; a number is one term without symbols, zero has no term. */
export function dimTerms(dim: Dim): readonly DimTerm[] {
  if (typeof dim === "number") return dim === 0 ? [] : [{ coefficient: dim, symbols: [] }];
  return dim.split("+").map((product) => {
    const factors = product.split("*");
    const coefficient = Number(factors[0]);
    return Number.isNaN(coefficient)
      ? { coefficient: 1, symbols: factors }
      : { coefficient, symbols: factors.slice(1) };
  });
}

function canonical(terms: readonly DimTerm[]): Dim {
  const sums = new Map<string, number>();
  for (const { coefficient, symbols } of terms) {
    const key = [...symbols].sort().join("*");
    sums.set(key, (sums.get(key) ?? 0) + coefficient);
  }
  const constant = sums.get("") ?? 0;
  sums.delete("");
  const products = [...sums]
    .filter(([, coefficient]) => coefficient !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, coefficient]) => (coefficient === 1 ? key : `${coefficient}*${key}`));
  if (products.length === 0) return constant;
  return [...products, ...(constant === 0 ? [] : [String(constant)])].join("+");
}

export function addDims(...dims: readonly Dim[]): Dim {
  return canonical(dims.flatMap(dimTerms));
}

export function multiplyDims(...dims: readonly Dim[]): Dim {
  return canonical(
    dims.map(dimTerms).reduce(
      (product, terms) =>
        product.flatMap((a) =>
          terms.map((b) => ({
            coefficient: a.coefficient * b.coefficient,
            symbols: [...a.symbols, ...b.symbols],
          })),
        ),
      dimTerms(1),
    ),
  );
}

/**
 * Number of chunks of `length` that cover a size, the last one possibly in part.
 *
 * @throws {GraphError} when the size is a sum or a product of symbols
 */
export function chunksOf(dim: Dim, length: number): Dim {
  if (typeof dim === "number") return Math.ceil(dim / length);
  if (/^\w+$/.test(dim)) return `ceil(${dim}/${length})`;
  throw new GraphError(`chunks of the size ${dim}: expected a number or a name`);
}

/** The size and the chunk length of a symbol made by `chunksOf`; undefined for a name. */
export function chunkedSize(symbol: string): { readonly of: string; readonly length: number } | undefined {
  const match = /^ceil\((\w+)\/(\d+)\)$/.exec(symbol);
  return match === null ? undefined : { of: match[1], length: Number(match[2]) };
}

/**
 * A size that must be known when the graph is built.
 *
 * @throws {GraphError} when it is symbolic
 */
export function knownSize(dim: Dim, of: string): number {
  if (typeof dim === "number") return dim;
  throw new GraphError(`${of} must have a size known when the graph is built, not ${dim}`);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
