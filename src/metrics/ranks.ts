/** Values in increasing order, with equal ones together. */
export interface TieGroups {
  /** Row numbers, smallest value first; rows of equal value keep their order. */
  readonly order: Uint32Array;
  /** End (exclusive, in `order`) of each group of equal values; the last one is the number of rows. */
  readonly ends: Uint32Array;
}

/**
 * Sorts values and finds the ties. 0 and -0 are equal. O(n log n).
 *
 * @param values  finite numbers; the caller checks
 */
export function tieGroups(values: ArrayLike<number>): TieGroups {
  const order = Uint32Array.from({ length: values.length }, (_, row) => row);
  order.sort((a, b) => values[a]! - values[b]!);
  const ends: number[] = [];
  for (let i = 1; i <= order.length; i++) {
    if (i === order.length || values[order[i]!] !== values[order[i - 1]!]) ends.push(i);
  }
  return { order, ends: Uint32Array.from(ends) };
}

/**
 * Ranks from 1, equal values sharing the mean of their ranks (SciPy's `rankdata`, method "average").
 *
 * @param groups  of the values, where they are known already
 */
export function averageRanks(values: ArrayLike<number>, groups: TieGroups = tieGroups(values)): Float64Array {
  const ranks = new Float64Array(values.length);
  let start = 0;
  for (const end of groups.ends) {
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) ranks[groups.order[i]!] = rank;
    start = end;
  }
  return ranks;
}

/** Ranks from 0, equal values getting consecutive ranks in row order: a stable double arg-sort. */
export function ordinalRanks(values: ArrayLike<number>): Uint32Array {
  const ranks = new Uint32Array(values.length);
  tieGroups(values).order.forEach((row, rank) => {
    ranks[row] = rank;
  });
  return ranks;
}

/** Σ (t³ − t) over groups of t equal values: by how much ties reduce the variance of a rank sum. */
export function tieCorrection(groups: TieGroups): number {
  let sum = 0;
  let start = 0;
  for (const end of groups.ends) {
    const t = end - start;
    sum += t * t * t - t;
    start = end;
  }
  return sum;
}
