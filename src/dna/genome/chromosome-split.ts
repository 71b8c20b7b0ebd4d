/**
 * DART-Eval's training, validation and test chromosomes (human, UCSC names). chrM and contigs are in no part.
 */
export const CHROMOSOME_SPLIT = {
  train: [
    ...["chr1", "chr2", "chr3", "chr4", "chr7", "chr8", "chr9", "chr11"],
    ...["chr12", "chr13", "chr15", "chr16", "chr17", "chr19", "chrX", "chrY"],
  ],
  val: ["chr6", "chr21"],
  test: ["chr5", "chr10", "chr14", "chr18", "chr20", "chr22"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A part of the split. */
export type SplitPart = keyof typeof CHROMOSOME_SPLIT;

const PART_OF = new Map<string, SplitPart>();
for (const part of ["train", "val", "test"] as const) {
  for (const chrom of CHROMOSOME_SPLIT[part]) PART_OF.set(chrom, part);
}

/** The part of a chromosome, by its exact name; undefined for any name that is not in the split. */
export function splitPartOf(chrom: string): SplitPart | undefined {
  return PART_OF.get(chrom);
}

/** True if the chromosome is in the part; every chromosome is in "all". */
export function isInSplit(chrom: string, split: SplitPart | "all"): boolean {
  return split === "all" || PART_OF.get(chrom) === split;
}

/** A part of the split, or "all" chromosomes. */
export type Split = "train" | "val" | "test" | "all";
