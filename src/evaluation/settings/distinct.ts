import type { Model } from "../../models/model.ts";

/** Sequences without repetitions. */
export interface Distinct {
  /** Index of the first occurrence of each distinct sequence, in order of appearance. */
  readonly first: readonly number[];
  /** Index into `first` of each sequence. */
  readonly of: readonly number[];
}

/**
 * Distinct sequences, so that equal ones are scored once. For a model that looks scores up by a sequence's
 * origin, every sequence is distinct.
 *
 * @param keys  identity of each sequence
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
