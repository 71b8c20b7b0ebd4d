import type { Pcg64 } from "../../base/pcg64.ts";
import { valueAt } from "../../base/record.ts";
import { CELL_LINES, type CellLine } from "../../datasets/cell-lines.ts";
import type { PlantedElement, PlantedSite } from "./elements.ts";
import type { SyntheticChromosome } from "./genome.ts";
import { logActivity } from "./grammar.ts";
import type { Peak } from "./peaks.ts";
import { BACKGROUND_CUTS, drawCount, meanCuts, meanCutsInWindow } from "./signal.ts";
import type { PlantedVariant } from "./variants.ts";

/** BED file of elements: chrom, start, end, name, score, strand, kind. */
export const elementsBed = (elements: readonly TrueElement[]): string =>
  tsv(elements.map(({ id, chrom, start, end, kind }) => [chrom, start, end, id, 0, ".", kind]));

/** narrowPeak file of peaks: p and q as -log10, summit relative to start. */
export function narrowPeak(cell: CellLine, peaks: readonly Peak[]): string {
  return tsv(
    peaks.map(({ chrom, start, end, summit, fold, p, q }, i) => {
      const score = Math.min(1000, Math.round(10 * q));
      const numbers = [fold, p, q].map((value) => value.toFixed(5));
      return [chrom, start, end, `${cell}_peak_${i + 1}`, score, ".", ...numbers, summit - start];
    }),
  );
}

/** narrowPeak file of non-peaks in the format of ChromBPNet's pipeline, with dots in unused columns. */
export const nonPeaksBed = (windows: readonly { chrom: string; start: number }[]): string =>
  tsv(windows.map(({ chrom, start }) => [chrom, start, start + 2114, ...".".repeat(6), 1057]));

const ACTIVITY_COLUMNS = ["chr", "input_start", "input_end", "elem_start", "elem_end"];

/**
 * Task 4's table: input windows of 2,114 bases around each summit, with reads counted in the middle 1,000.
 */
export function chromatinActivityTable(rows: readonly { chrom: string; summit: number }[]): string {
  return tsv([
    [...ACTIVITY_COLUMNS, "elem_relative_start", "elem_relative_end"],
    ...rows.map(({ chrom, summit }) => [
      ...[chrom, summit - 1057, summit + 1057, summit - 500, summit + 500],
      ...[557, 1557],
    ]),
  ]);
}

/** Smallest log2 ratio of a line-specific element's cuts to their mean in the other lines. */
const MIN_LOG2_FOLD = 1;

/** The only cell line in which an element's true activity is at least twice the mean of the others. */
function ownCellLine({ logActivity }: TrueElement): CellLine | undefined {
  const means = Array.from(logActivity, (activity) => meanCutsIn500(activity));
  const sum = means.reduce((a, b) => a + b);
  const own = CELL_LINES.filter((_, cell) => {
    const others = (sum - means[cell]) / (means.length - 1);
    return Math.log2(means[cell] / others) > MIN_LOG2_FOLD;
  });
  return own.length === 1 ? own[0] : undefined;
}

const meanCutsIn500 = (activity: number): number => 500 * BACKGROUND_CUTS + meanCuts(activity);

/** Task 3's table: 500 bases around the summit of each line-specific peak, sorted by chromosome and start. */
export function cellTypePeaksTable(
  peaks: ReadonlyMap<CellLine, readonly Peak[]>,
  elements: readonly TrueElement[],
): string {
  const rows = elements.flatMap((element) => {
    const label = ownCellLine(element);
    const peak = label && valueAt(peaks, label).find((called) => called.element === element.planted);
    if (label === undefined || peak === undefined) return [];
    const [start, end] = [peak.summit - 250, peak.summit + 250];
    return [[element.chrom, start, end, start, end, true, label]];
  });
  return tsv([[...ACTIVITY_COLUMNS, "is_peak", "label"], ...rows]);
}

/** Samples per cell line in the count matrix. */
const REPLICATES = 3;

/**
 * Count matrix for differential analysis: reads in elements that are a peak in any cell line, three samples
 * per line.
 */
export function countsMatrix(
  rng: Pcg64,
  peaks: ReadonlyMap<CellLine, readonly Peak[]>,
  elements: readonly TrueElement[],
): string {
  const open = new Set(Array.from(peaks.values()).flatMap((list) => list.map(({ element }) => element)));
  const samples = CELL_LINES.flatMap((cell) =>
    Array.from({ length: REPLICATES }, (_, i) => `${cell}_${i + 1}`),
  );
  const lines = [["peak", ...samples].join(",")];
  for (const element of elements) {
    if (!open.has(element.planted)) continue;
    const start = element.centre - 250;
    const counts = Array.from(element.logActivity).flatMap((activity) =>
      Array.from({ length: REPLICATES }, () => drawCount(rng, meanCutsIn500(activity))),
    );
    lines.push([`${element.chrom}:${start}-${start + 500}`, ...counts].join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** p-value below which a variant is a QTL, and above which it is a control; variants between are not used. */
const SIGNIFICANT_P = 1e-4;
const CONTROL_P = 0.01;

const isQtl = ({ p }: PlantedVariant) => p < SIGNIFICANT_P;
const isUsed = ({ p }: PlantedVariant) => p < SIGNIFICANT_P || p > CONTROL_P;

/** Shares of rows whose second allele is the reference; in DART-Eval's African table 39,504 of 219,382. */
const SWAPPED_IN_AFRICAN = 0.18;
const SWAPPED_IN_YORUBAN = 0.5;

/** Alleles in table order: in a share of the rows the reference is second. */
function alleles(rng: Pcg64, { reference, alternative }: PlantedVariant, swappedShare: number) {
  const swapped = rng.nextFloat64() < swappedShare;
  const [first, second] = swapped ? [alternative, reference] : [reference, alternative];
  return { swapped, first, second } as const;
}

/**
 * Table in the format of the African caQTLs: 1-based positions; `beta` is the effect of the alternative
 * against the reference allele in either order, so it has the opposite sign of allele 2 minus allele 1 if
 * allele 2 is the reference (quirk Q41).
 *
 * @param peaks  of GM12878, for the column `in_peaks`
 */
export function africanTable(
  rng: Pcg64,
  variants: readonly PlantedVariant[],
  peaks: readonly Peak[],
): string {
  const columns = ["chr_hg38", "pos_hg38", "allele1", "allele2", "snp_id", "label", "IsUsed", "pval", "beta"];
  const rows = variants.map((variant, i) => {
    const { chrom, position, estimate, p } = variant;
    const { first, second } = alleles(rng, variant, SWAPPED_IN_AFRICAN);
    const inPeaks = peaks.some(
      (peak) => peak.chrom === chrom && peak.start <= position && position < peak.end,
    );
    return [
      ...[chrom, position + 1, first, second, `${chrom}_${position + 1}_${first}_${second}`],
      ...[isQtl(variant), isUsed(variant), p.toExponential(6), estimate.toFixed(6), `syn${i + 1}`, inPeaks],
    ];
  });
  return tsv([[...columns, "dbsnp_rsid", "in_peaks"], ...rows]);
}

/**
 * Table in the format of the Yoruban dsQTLs: 1-based positions, labels 1 and -1; `obs.estimate` is the effect
 * of allele 1 against allele 2 (quirk Q22), NaN for controls.
 */
export function yorubanTable(rng: Pcg64, variants: readonly PlantedVariant[]): string {
  const columns = ["chrom", "pos", "allele1", "allele2", "rsid", "label", "isused"].map(
    (name) => `var.${name}`,
  );
  const rows = variants.map((variant, i) => {
    const { chrom, position, estimate } = variant;
    const { swapped, first, second } = alleles(rng, variant, SWAPPED_IN_YORUBAN);
    const oneAgainstTwo = swapped ? estimate : -estimate;
    return [
      ...[chrom, position + 1, first, second, `syn${i + 1}`, isQtl(variant) ? 1 : -1, isUsed(variant)],
      isQtl(variant) ? oneAgainstTwo.toFixed(6) : "NaN",
    ];
  });
  return tsv([[...columns, "obs.estimate"], ...rows]);
}

/** Planted element with its true activity. */
export interface TrueElement {
  /** "SYN00001", numbered in genome order. */
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
        id: `SYN${String(number).padStart(5, "0")}`,
        logActivity: logActivity(codes, start, end),
        planted,
      };
    }),
  );
}

/** truth/elements.tsv: mean cuts in 1,000 bases around the centre, including background, per cell line. */
export const trueElementsTable = (elements: readonly TrueElement[]): string =>
  tsv([
    ["id", "chrom", "start", "end", "kind", "centre", ...CELL_LINES.map((cell) => `mean_cuts_${cell}`)],
    ...elements.map(({ id, chrom, start, end, kind, centre, logActivity: activities }) => [
      ...[id, chrom, start, end, kind, centre],
      ...Array.from(activities, (activity) => meanCutsInWindow(activity).toPrecision(6)),
    ]),
  ]);

/** truth/sites.tsv: all planted sites. */
export const trueSitesTable = (elements: readonly TrueElement[]): string =>
  tsv([
    ["element", "motif", "chrom", "start", "end", "strand"],
    ...elements.flatMap(({ id, chrom, sites }) =>
      sites.map(({ motif, start, end, strand }) => [id, motif, chrom, start, end, strand]),
    ),
  ]);

/**
 * truth/variants.tsv: ln fold change of mean cuts, alternative against reference, per cell line. 1-based
 * positions.
 */
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
        element === undefined ? "." : valueAt(idOf, element),
        ...Array.from(effects, (effect) => effect.toFixed(6)),
      ]),
    ),
  ]);
}

/** Tab-separated text, with booleans as True and False. */
export function tsv(rows: Iterable<readonly (string | number | boolean)[]>): string {
  let text = "";
  for (const row of rows) {
    const cells = row.map((cell) => (typeof cell === "boolean" ? (cell ? "True" : "False") : String(cell)));
    text += `${cells.join("\t")}\n`;
  }
  return text;
}
