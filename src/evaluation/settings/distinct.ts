import type { Model } from "../../models/model.ts";

/** Sequences without their repetitions. */
export interface Distinct {
  /** Where each distinct sequence is first met, in order of appearance. */
  readonly first: readonly number[];
  /** For each sequence, its place in `first`. */
  readonly of: readonly number[];
}

/**
 * Equal sequences are asked once. Not of a model that looks its answers up by the place of a sequence: its answers are what
 * was written down for each.
 *
 * @param keys  what makes a sequence what it is
 */
export function distinct(model: Model, keys: readonly string[]): Distinct {
  if (model.expectRows !== undefined) return { first: [...keys.keys()], of: [...keys.keys()] };
  const known = new Map<string, number>();
  const first: number[] = [];
  const of = keys.map((key, i) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, first.length);
    first.push(i);
    return first.length - 1;
  });
  return { first, of };
}
