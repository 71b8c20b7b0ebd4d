import { join } from "node:path";
import { recordOf } from "../../base/record.ts";
import { CELL_LINES, type CellLine } from "../../datasets/cell-lines.ts";

/** Files of one cell line. */
export interface CellLineFiles {
  /** narrowPeak: relaxed peaks, high-confidence peaks, GC-matched non-peaks. */
  readonly peaks: string;
  readonly confidentPeaks: string;
  readonly nonPeaks: string;
  /** bigWig: cuts per base, without zeros. */
  readonly signal: string;
  /** Task 4's tables of these three sets. */
  readonly peaksTable: string;
  readonly confidentPeaksTable: string;
  readonly nonPeaksTable: string;
}

/** Absolute paths of a synthetic genome's files. */
export interface SyntheticFiles {
  /** FASTA with repeats in lower case; indexed by `genome` + ".fai". */
  readonly genome: string;
  /** BED of all elements, from which Task 1's table is built. */
  readonly elements: string;
  /** Task 1's table. */
  readonly regulatoryElements: string;
  /** MEME file of the planted motifs, and their families by HOCOMOCO's column names. */
  readonly motifs: string;
  readonly motifFamilies: string;
  /** Task 2's backgrounds: 100 neutral sequences of 350 bases, one per line. */
  readonly backgrounds: string;
  readonly cellLines: Readonly<Record<CellLine, CellLineFiles>>;
  /** CSV: reads per peak in three samples of each cell line. */
  readonly countsMatrix: string;
  /** Task 3's table. */
  readonly cellTypePeaks: string;
  /** Task 5's tables, in the formats of the African caQTLs and the Yoruban dsQTLs. */
  readonly africanVariants: string;
  readonly yorubanVariants: string;
  /** Ground truth: parameters, elements, sites, variants. */
  readonly truth: string;
  readonly trueElements: string;
  readonly trueSites: string;
  readonly trueVariants: string;
}

/** Paths of a synthetic genome's files. @param folder  absolute path */
export function filesIn(folder: string): SyntheticFiles {
  const at = (...parts: readonly string[]) => join(folder, ...parts);
  const cellLineFiles = (cell: CellLine): CellLineFiles => ({
    peaks: at("peaks", `${cell}.narrowPeak`),
    confidentPeaks: at("peaks", `${cell}.idr.narrowPeak`),
    nonPeaks: at("peaks", `${cell}.nonpeaks.narrowPeak`),
    signal: at("signal", `${cell}_unstranded.bw`),
    peaksTable: at("chromatin-activity", `${cell}_peaks.bed`),
    confidentPeaksTable: at("chromatin-activity", `${cell}_idr.bed`),
    nonPeaksTable: at("chromatin-activity", `${cell}_nonpeaks.bed`),
  });
  return {
    genome: at("genome.fa"),
    elements: at("elements.bed"),
    regulatoryElements: at("regulatory-elements.tsv"),
    motifs: at("motifs.meme"),
    motifFamilies: at("motifs.tsv"),
    backgrounds: at("backgrounds.txt"),
    cellLines: recordOf(CELL_LINES, cellLineFiles),
    countsMatrix: at("merged_counts_matrix.csv"),
    cellTypePeaks: at("cell-type-peaks.tsv"),
    africanVariants: at("variants", "african-caqtls.tsv"),
    yorubanVariants: at("variants", "yoruban-dsqtls.tsv"),
    truth: at("truth.json"),
    trueElements: at("truth", "elements.tsv"),
    trueSites: at("truth", "sites.tsv"),
    trueVariants: at("truth", "variants.tsv"),
  };
}
