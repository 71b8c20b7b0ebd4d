/**
 * First index in [from, to) at which a condition holds that holds at all later ones too; `to` if it holds at
 * none.
 */
export function firstIndex(from: number, to: number, holds: (i: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Number of values below a bound in ascending values: the index of the first that is at least the bound. A
 * loop of its own, because a function call per value takes twice as long.
 */
export function lowerBound(ascending: ArrayLike<number>, bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
