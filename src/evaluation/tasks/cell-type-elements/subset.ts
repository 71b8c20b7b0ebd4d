import { sha256Hex } from "../../../base/digest.ts";
import type { CellLine } from "../../../datasets/cell-lines.ts";
import { readRowList } from "../../../datasets/cell-type-elements/table.ts";
import { POSITION_FACTS, type PositionFacts } from "../intervals.ts";
import type { Selection } from "../task-rows.ts";

/** Facts of a row of Task 3; without positions if it comes from DART-Eval's data.h5. */
export type CellTypeFacts = PositionFacts & {
  readonly label: CellLine;
  /** 0-based position in the list of clustered rows. */
  readonly place?: number;
  /** Positions of the window without a base (N, or off the chromosome). */
  readonly unknown: number;
};

/** Descriptions of the facts. */
export const CELL_TYPE_FACTS = {
  ...POSITION_FACTS,
  label: "cell line in which the element is accessible",
  unknown: "bases that are not A, C, G or T",
  place: "0-based position in the list of clustered rows",
};

/** Name of the part of the rows that is clustered. */
export const CLUSTERING = "clustering";

/** The clustered rows: row number → 0-based position in their list. */
export type Subset = ReadonlyMap<number, number>;

/**
 * @param path  of the list; undefined: all rows
 * @param rows  upper bound of row numbers
 * @throws {FormatError} when the list has a row twice, none, or one that is not in the table
 */
export async function readSubset(path: string | undefined, rows: number): Promise<Subset | undefined> {
  if (path === undefined) return undefined;
  return new Map((await readRowList(path, rows)).map((row, place) => [row, place]));
}

/** True if the part that a selection names contains a row. */
export const isInPart = (subset: Subset | undefined, { part }: Selection, row: number): boolean =>
  part !== CLUSTERING || subset === undefined || subset.has(row);

/** The fact `place` of a row. */
export function listPosition(subset: Subset | undefined, row: number): Pick<CellTypeFacts, "place"> {
  const place = subset?.get(row);
  return place === undefined ? {} : { place };
}

/** SHA-256 of the list, by input name. */
export const subsetDigest = (subset: Subset | undefined): { readonly subset?: string } =>
  subset === undefined ? {} : { subset: sha256Hex([...subset.keys()].join("\n")) };
