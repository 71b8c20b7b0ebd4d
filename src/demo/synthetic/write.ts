import { resolve } from "node:path";
import { InputError } from "../../base/errors.ts";
import { keysOf, recordOf, valueAt } from "../../base/record.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { CELL_LINES, type CellLine } from "../../datasets/cell-lines.ts";
import { buildRegulatoryElements } from "../../datasets/regulatory-elements/build.ts";
import { writeRegulatoryElements } from "../../datasets/regulatory-elements/table.ts";
import { bigWigBytes } from "../../dna/genome/write-bigwig.ts";
import { type CellLineFiles, filesIn, type SyntheticFiles } from "./files.ts";
import {
  backgroundsText,
  fastaWithIndex,
  generatorOf,
  growGenome,
  type SyntheticChromosome,
} from "./genome.ts";
import { ELEMENT_KINDS, PAIR_WEIGHTS, SITE_WEIGHTS } from "./grammar.ts";
import { CONSENSUS_SITES, MOTIFS, memeText } from "./motifs.ts";
import { callPeaks, confidentPeaks, matchedNonPeaks, type Peak } from "./peaks.ts";
import { drawCuts, meanCuts } from "./signal.ts";
import {
  africanTable,
  cellTypePeaksTable,
  chromatinActivityTable,
  countsMatrix,
  elementsBed,
  narrowPeak,
  nonPeaksBed,
  type TrueElement,
  trueElements,
  trueElementsTable,
  trueSitesTable,
  trueVariantsTable,
  tsv,
  yorubanTable,
} from "./tables.ts";
import { type Mechanism, type PlantedVariant, plantVariants } from "./variants.ts";

export interface SyntheticOptions {
  /** Non-negative integer. Equal seeds and scales give byte-identical files. */
  readonly seed: number;
  /** Factor of the chromosome lengths, 0.1 to 5. At 1 the genome has 3.09 Mb and about 1,900 elements. */
  readonly scale: number;
}

/** A synthetic genome on disk, and everything planted in it. */
export interface SyntheticGenome {
  readonly folder: string;
  readonly files: SyntheticFiles;
  readonly chromosomes: readonly SyntheticChromosome[];
  readonly elements: readonly TrueElement[];
  readonly peaks: ReadonlyMap<CellLine, readonly Peak[]>;
  /** By study, "african" and "yoruban", both in GM12878. */
  readonly variants: ReadonlyMap<string, readonly PlantedVariant[]>;
}

/** Version of the generator; incremented when the same seed gives different bytes. */
const VERSION = 1;

/** Number of variants per mechanism at scale 1. */
const AFRICAN = { "breaks a site": 80, "makes a site": 80, "changes no site": 480, "outside elements": 160 };
const YORUBAN = { "breaks a site": 40, "makes a site": 40, "changes no site": 240, "outside elements": 80 };

/**
 * Writes a small genome with known ground truth, and the inputs of all five tasks in standard formats.
 *
 * Chromosomes have the human names and a thousandth of the human lengths, so the usual chromosome split
 * applies. Elements are composed of textbook consensus sites by a grammar for each of five cell lines.
 * Chromatin signal depends only on an element's sequence. Peaks are called from the signal. Variants break or
 * make sites, with the resulting effects. truth.json is written last, so a folder with truth.json is
 * complete.
 *
 * @throws {InputError} when seed or scale is out of range, or a file cannot be written
 */
export async function writeSyntheticGenome(
  folder: string,
  { seed, scale }: SyntheticOptions,
): Promise<SyntheticGenome> {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InputError(`the seed is ${seed}; expected a non-negative integer`);
  if (!(scale >= 0.1 && scale <= 5))
    throw new InputError(`the scale is ${scale}; expected a number from 0.1 to 5`);

  const root = resolve(folder);
  const files = filesIn(root);
  const chromosomes = growGenome(seed, scale);
  const elements = trueElements(chromosomes);

  const { fasta, index } = fastaWithIndex(chromosomes);
  await writeFileAtomic(files.genome, fasta);
  await writeFileAtomic(`${files.genome}.fai`, index);
  await writeFileAtomic(files.motifs, memeText(MOTIFS));
  await writeFileAtomic(
    files.motifFamilies,
    tsv([
      ["Motif", "TF family", "Consensus"],
      ...CONSENSUS_SITES.map((site) => [site.name, site.family, site.consensus]),
    ]),
  );
  await writeFileAtomic(files.elements, elementsBed(elements));
  await writeRegulatoryElements(files.regulatoryElements, buildRegulatoryElements(files.elements));

  await writeFileAtomic(files.backgrounds, backgroundsText(chromosomes));

  const peaks = new Map<CellLine, readonly Peak[]>();
  for (const cell of CELL_LINES) {
    peaks.set(cell, await writeCellLine(files.cellLines[cell], cell, seed, chromosomes, elements));
  }
  await writeFileAtomic(files.countsMatrix, countsMatrix(generatorOf(seed, "counts"), peaks, elements));
  await writeFileAtomic(files.cellTypePeaks, cellTypePeaksTable(peaks, elements));

  const african = plantVariants(generatorOf(seed, "african"), chromosomes, scaled(AFRICAN, scale));
  const yoruban = plantVariants(generatorOf(seed, "yoruban"), chromosomes, scaled(YORUBAN, scale));
  const variants = new Map([
    ["african", african],
    ["yoruban", yoruban],
  ]);
  await writeFileAtomic(
    files.africanVariants,
    africanTable(generatorOf(seed, "african alleles"), african, valueAt(peaks, "GM12878")),
  );
  await writeFileAtomic(files.yorubanVariants, yorubanTable(generatorOf(seed, "yoruban alleles"), yoruban));

  await writeFileAtomic(files.trueElements, trueElementsTable(elements));
  await writeFileAtomic(files.trueSites, trueSitesTable(elements));
  await writeFileAtomic(files.trueVariants, trueVariantsTable(variants, elements));
  await writeFileAtomic(files.truth, parametersText({ seed, scale }, chromosomes, elements));
  return { folder: root, files, chromosomes, elements, peaks, variants };
}

async function writeCellLine(
  files: CellLineFiles,
  cell: CellLine,
  seed: number,
  chromosomes: readonly SyntheticChromosome[],
  elements: readonly TrueElement[],
): Promise<readonly Peak[]> {
  const line = CELL_LINES.indexOf(cell);
  const cuts = chromosomes.map(({ name, codes }) =>
    drawCuts(
      generatorOf(seed, "cuts", cell, name),
      codes.length,
      elements
        .filter(({ chrom }) => chrom === name)
        .map(({ centre, logActivity }) => ({ centre, mean: meanCuts(logActivity[line]) })),
    ),
  );
  const peaks = callPeaks(generatorOf(seed, "peaks", cell), chromosomes, cuts);
  const confident = confidentPeaks(peaks);
  const nonPeaks = matchedNonPeaks(generatorOf(seed, "non-peaks", cell), chromosomes, peaks);
  const nonPeakSummits = nonPeaks.map(({ chrom, start }) => ({ chrom, summit: start + 1057 }));
  await writeFileAtomic(
    files.signal,
    bigWigBytes(new Map(chromosomes.map(({ name }, i) => [name, cuts[i]]))),
  );
  await writeFileAtomic(files.peaks, narrowPeak(cell, peaks));
  await writeFileAtomic(files.confidentPeaks, narrowPeak(cell, confident));
  await writeFileAtomic(files.nonPeaks, nonPeaksBed(nonPeaks));
  await writeFileAtomic(files.peaksTable, chromatinActivityTable(peaks));
  await writeFileAtomic(files.confidentPeaksTable, chromatinActivityTable(confident));
  await writeFileAtomic(files.nonPeaksTable, chromatinActivityTable(nonPeakSummits));
  return peaks;
}

function scaled(counts: Readonly<Record<Mechanism, number>>, scale: number): Record<Mechanism, number> {
  return recordOf(keysOf(counts), (mechanism) => Math.ceil(counts[mechanism] * scale));
}

/** truth.json: parameters of the generator. */
function parametersText(
  { seed, scale }: SyntheticOptions,
  chromosomes: readonly SyntheticChromosome[],
  elements: readonly TrueElement[],
): string {
  const parameters = {
    version: VERSION,
    seed,
    scale,
    chromosomes: Object.fromEntries(chromosomes.map(({ name, codes }) => [name, codes.length])),
    elements: elements.length,
    cellLines: CELL_LINES,
    consensusSites: CONSENSUS_SITES,
    elementKinds: ELEMENT_KINDS,
    siteWeights: SITE_WEIGHTS,
    pairWeights: PAIR_WEIGHTS,
  };
  return `${JSON.stringify(parameters, null, 2)}\n`;
}
