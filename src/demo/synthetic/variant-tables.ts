import type { Pcg64 } from "../../base/pcg64.ts";
import type { Peak } from "./peaks.ts";
import { tsv } from "./tsv.ts";
import type { PlantedVariant } from "./variants.ts";

/** p below which a study calls a variant a QTL, and above which it is a control; others are not used. */
const SIGNIFICANT_P = 1e-4;
const CONTROL_P = 0.01;

const isQtl = ({ p }: PlantedVariant) => p < SIGNIFICANT_P;
const isUsed = ({ p }: PlantedVariant) => p < SIGNIFICANT_P || p > CONTROL_P;

/** Share of rows whose second allele is the reference: in DART-Eval's African table, 39,504 of 219,382. */
const SWAPPED_IN_AFRICAN = 0.18;
const SWAPPED_IN_YORUBAN = 0.5;

/** Alleles in the order of the table: reference first, or, in a share of the rows, last. */
function alleles(rng: Pcg64, { reference, alternative }: PlantedVariant, swappedShare: number) {
  const swapped = rng.nextFloat64() < swappedShare;
  const [first, second] = swapped ? [alternative, reference] : [reference, alternative];
  return { swapped, first, second } as const;
}

/**
 * Variants as the African caQTL table has them: 1-based positions; `beta` is the effect of the alternative against the
 * reference allele whichever comes first, so it runs against allele 2 minus allele 1 where allele 2 is the reference (quirk Q41).
 *
 * @param peaks  of GM12878; variants outside them are marked
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
 * Variants as the Yoruban dsQTL table has them: 1-based positions, labels 1 and -1; `obs.estimate` is the effect of allele 1
 * against allele 2 (quirk Q22), NaN for controls.
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
