import { FormatError } from "../../base/errors.ts";
import type { FieldPlace } from "../../base/table.ts";

/** Format of a variant table. */
export type VariantForm = "caqtl" | "dsqtl" | "variant-scorer" | "plain" | "vcf";

/** Allele with the more open chromatin if an effect is positive. */
export type EffectFavours = "allele1" | "allele2" | "alternative";

/** Column names of a variant table. */
export interface VariantColumns {
  readonly form: VariantForm;
  readonly chrom: string;
  /** 1-based. */
  readonly position: string;
  readonly allele1: string;
  readonly allele2: string;
  readonly id?: string;
  readonly label?: string;
  readonly used?: string;
  readonly inPeaks?: string;
  readonly effect?: string;
  readonly p?: string;
  readonly favours: EffectFavours;
}

type Role =
  | "chrom"
  | "position"
  | "allele1"
  | "allele2"
  | "id"
  | "label"
  | "used"
  | "inPeaks"
  | "effect"
  | "p";

interface FormRule {
  readonly form: Exclude<VariantForm, "vcf">;
  /** Accepted column names, in order of preference. */
  readonly names: Readonly<Partial<Record<Role, readonly string[]>>>;
  readonly favours: EffectFavours;
}

/**
 * Known formats, identified by their columns for chromosome and position.
 *
 * - caqtl: DART-Eval's African caQTLs. `beta` is the alternative's effect against the reference's, in either
 *   order of the alleles (quirk Q41).
 * - dsqtl: DART-Eval's Yoruban dsQTLs. `obs.estimate` is positive if allele 1 is more open (quirk Q22).
 * - variant-scorer: tables of the ChromBPNet paper. `obs.beta` favours allele 2, `obs.estimate` allele 1.
 */
const FORMS: readonly FormRule[] = [
  {
    form: "caqtl",
    names: {
      chrom: ["chr_hg38", "chr_hg19"],
      position: ["pos_hg38", "pos_hg19"],
      allele1: ["allele1"],
      allele2: ["allele2"],
      id: ["snp_id", "dbsnp_rsid"],
      label: ["label"],
      used: ["IsUsed"],
      inPeaks: ["in_peaks"],
      effect: ["beta"],
      p: ["pval"],
    },
    favours: "alternative",
  },
  {
    form: "dsqtl",
    names: {
      chrom: ["var.chrom"],
      position: ["var.pos"],
      allele1: ["var.allele1"],
      allele2: ["var.allele2"],
      id: ["var.rsid"],
      label: ["var.label"],
      used: ["var.isused"],
      effect: ["obs.estimate"],
      p: ["obs.pval", "pval"],
    },
    favours: "allele1",
  },
  {
    form: "variant-scorer",
    names: {
      chrom: ["var.chr"],
      position: ["var.pos_hg38", "var.pos_hg19"],
      allele1: ["var.allele1"],
      allele2: ["var.allele2"],
      id: ["var.snp_id", "var.dbsnp_rsid"],
      label: ["obs.label", "var.label"],
      used: ["var.isused"],
      effect: ["obs.beta", "obs.estimate"],
      p: ["obs.pval"],
    },
    favours: "allele2",
  },
  {
    form: "plain",
    names: {
      chrom: ["chr", "chrom"],
      position: ["pos", "position"],
      allele1: ["allele1", "ref"],
      allele2: ["allele2", "alt"],
      id: ["id", "rsid", "snp_id"],
      label: ["label"],
      used: ["used"],
      effect: ["effect", "beta"],
      p: ["pval", "p"],
    },
    favours: "allele2",
  },
];

/**
 * Identifies a variant table's format and columns by its header.
 * @throws {FormatError} when the format is unknown
 */
export function variantColumns(header: readonly string[], place: FieldPlace): VariantColumns {
  for (const { form, names, favours } of FORMS) {
    const found: Partial<Record<Role, string>> = Object.fromEntries(
      Object.entries(names).flatMap(([role, candidates]) => {
        const name = candidates.find((candidate) => header.includes(candidate));
        return name === undefined ? [] : [[role, name]];
      }),
    );
    const { chrom, position, allele1, allele2 } = found;
    if (chrom === undefined || position === undefined || allele1 === undefined || allele2 === undefined)
      continue;
    const actual = found.effect === "obs.estimate" ? "allele1" : favours;
    return { ...found, form, chrom, position, allele1, allele2, favours: actual };
  }
  const shown = header.slice(0, 12).join(", ").slice(0, 300);
  throw new FormatError(
    place,
    `the header has ${shown}, which is not a known variant table`,
    "expected tab-separated columns chr_hg38 pos_hg38 allele1 allele2; var.chrom var.pos var.allele1 var.allele2; var.chr var.pos_hg38 var.allele1 var.allele2; or chr pos allele1 allele2; or a VCF file",
  );
}
