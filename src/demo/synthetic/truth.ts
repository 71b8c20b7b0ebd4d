import { CELL_LINES } from "../../datasets/cell-lines.ts";
import { logActivity } from "./activity.ts";
import type { PlantedElement, PlantedSite } from "./elements.ts";
import type { SyntheticChromosome } from "./genome.ts";
import { meanCutsInWindow } from "./signal.ts";
import { tsv } from "./tsv.ts";
import type { PlantedVariant } from "./variants.ts";

/** An element with the truth about it. */
export interface TrueElement {
  /** "SYN00001", numbered along the genome. */
  readonly id: string;
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
  readonly kind: string;
  readonly centre: number;
  readonly sites: readonly PlantedSite[];
  /** ln activity, one per cell line, in CELL_LINES order. */
  readonly logActivity: Float64Array;
  readonly planted: PlantedElement;
}

export function trueElements(chromosomes: readonly SyntheticChromosome[]): TrueElement[] {
  let number = 0;
  return chromosomes.flatMap(({ codes, elements }) =>
    elements.map((planted) => {
      number++;
      const { start, end } = planted;
      return {
        ...planted,
        ...{
          id: `SYN${String(number).padStart(5, "0")}`,
          logActivity: logActivity(codes, start, end),
          planted,
        },
      };
    }),
  );
}

/** elements.tsv of the truth: mean cuts in 1,000 bases around the centre, background included, per cell line. */
export const trueElementsTable = (elements: readonly TrueElement[]): string =>
  tsv([
    ["id", "chrom", "start", "end", "kind", "centre", ...CELL_LINES.map((cell) => `mean_cuts_${cell}`)],
    ...elements.map(({ id, chrom, start, end, kind, centre, logActivity: activities }) => [
      ...[id, chrom, start, end, kind, centre],
      ...Array.from(activities, (activity) => meanCutsInWindow(activity).toPrecision(6)),
    ]),
  ]);

/** sites.tsv of the truth: every planted site. */
export const trueSitesTable = (elements: readonly TrueElement[]): string =>
  tsv([
    ["element", "motif", "chrom", "start", "end", "strand"],
    ...elements.flatMap(({ id, chrom, sites }) =>
      sites.map(({ motif, start, end, strand }) => [id, motif, chrom, start, end, strand]),
    ),
  ]);

/** variants.tsv of the truth: alternative against reference, ln fold change of mean cuts per cell line. 1-based positions. */
export function trueVariantsTable(
  studies: ReadonlyMap<string, readonly PlantedVariant[]>,
  elements: readonly TrueElement[],
): string {
  const idOf = new Map(elements.map(({ id, planted }) => [planted, id]));
  const columns = ["study", "chrom", "position", "reference", "alternative", "mechanism", "motif", "element"];
  return tsv([
    [...columns, ...CELL_LINES.map((cell) => `effect_${cell}`)],
    ...Array.from(studies).flatMap(([study, variants]) =>
      variants.map(({ chrom, position, reference, alternative, mechanism, motif, element, effects }) => [
        ...[study, chrom, position + 1, reference, alternative, mechanism, motif ?? "."],
        element === undefined ? "." : idOf.get(element)!,
        ...Array.from(effects, (effect) => effect.toFixed(6)),
      ]),
    ),
  ]);
}
