import { type Blocks, genomicBlocksOf, singleRows } from "../../metrics/blocks.ts";
import { genomicPositionsOf, type PositionFacts } from "./intervals.ts";
import type { RowFacts } from "./prediction.ts";
import type { PredictionColumns } from "./prediction-columns.ts";
import type { RowView, TextColumn } from "./row-view.ts";

/** Rows and positions of predictions, and their blocks. */
export function rowBasis<Row extends RowFacts & PositionFacts>(
  columns: PredictionColumns<Row>,
): { readonly basis: Pick<RowView, "rows" | "loci">; readonly blocks: Blocks } {
  const { rows } = columns;
  const positions = genomicPositionsOf(columns);
  const chromosomes = columns.factTexts("chrom");
  if (positions === undefined || chromosomes === undefined) {
    return { basis: { rows }, blocks: singleRows(columns.length) };
  }
  const loci = {
    chromosomes,
    starts: Float64Array.from(positions.starts),
    ends: Float64Array.from(positions.ends),
  };
  return { basis: { rows, loci }, blocks: genomicBlocksOf(positions) };
}

/** Column of a text fact; none if no row has it. */
export function textFact<Row extends RowFacts>(
  columns: PredictionColumns<Row>,
  name: keyof Row & string,
  title: string = name,
): readonly TextColumn[] {
  const found = columns.factTexts(name);
  return found === undefined ? [] : [{ title, ...found }];
}
