/** Which chromosomes train, choose and test: one split for every task that has one. Others are in no part. */
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

/** The part that a chromosome is in, by its exact name; undefined for chrM, unplaced contigs and anything else. */
export function splitPartOf(chrom: string): SplitPart | undefined {
  return PART_OF.get(chrom);
}

/** Whether a chromosome is in a part; every chromosome is in "all". */
export function isInSplit(chrom: string, split: SplitPart | "all"): boolean {
  return split === "all" || PART_OF.get(chrom) === split;
}

/** Which chromosomes: one split shared by all tasks; "all" where a task has no split. */
export type Split = "train" | "val" | "test" | "all";
