import type { Selection } from "../task.ts";

/** The part of the rows that is clustered. */
export const CLUSTERING = "clustering";

/** The rows that are clustered, in the order of their list: number of the row → place in the list. */
export type Subset = ReadonlyMap<number, number>;

/** Whether a row is of the part that a selection asks for. */
export const isInPart = (subset: Subset | undefined, { part }: Selection, row: number): boolean =>
  part !== CLUSTERING || subset === undefined || subset.has(row);

/** What a row's facts say of its place in the list of clustered rows. */
export function placeFact(subset: Subset | undefined, row: number): { readonly place?: number } {
  const place = subset?.get(row);
  return place === undefined ? {} : { place };
}
