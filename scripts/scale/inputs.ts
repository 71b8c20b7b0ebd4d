import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { integerBelow } from "../../src/base/random.ts";

/** Lengths of chr1 to chr22, chrX and chrY of hg38, Mb. */
const MEGABASES = [
  248.9, 242.2, 198.3, 190.2, 181.5, 170.8, 159.3, 145.1, 138.4, 133.8, 135.1, 133.3, 114.4, 107.0, 102.0,
  90.3, 83.3, 80.4, 58.6, 64.4, 46.7, 50.8, 156.0, 57.2,
];
const CHROMOSOMES = MEGABASES.map((length, i) => ({ name: `chr${i < 22 ? i + 1 : "XY"[i - 22]}`, length }));
const ALL_MEGABASES = MEGABASES.reduce((sum, length) => sum + length, 0);

/** Bases per line of the FASTA file. */
const LINE = 100;
const WINDOW = 350;

/** Files of a part of the scale run, and its expected metrics. */
export interface ScaleInputs {
  readonly genome: string;
  readonly table: string;
  readonly scores: readonly string[];
  /** Main metric of each score table, computed while writing the table. */
  readonly expected: readonly number[];
}

/**
 * A genome of random bases whose chromosomes have the proportions of hg38.
 *
 * @param bases  approximate total of all chromosomes
 * @returns      lengths by name; multiples of the FASTA file's lines
 */
async function writeGenome(path: string, bases: number): Promise<ReadonlyMap<string, number>> {
  const rng = new Pcg64(1);
  const lengths = new Map<string, number>();
  await writeText(path, function* () {
    // Bases repeat after somewhat more than 2^20, so that a genome of published size takes seconds.
    const block = Buffer.from(
      Array.from({ length: 2 ** 20 + 7 }, () => "ACGT".charCodeAt(integerBelow(rng, 4))),
    );
    let at = 0;
    for (const { name, length } of CHROMOSOMES) {
      const lines = Math.max(20, Math.round((bases * length) / ALL_MEGABASES / LINE));
      lengths.set(name, lines * LINE);
      yield `>${name}\n`;
      for (let line = 0; line < lines; line++) {
        if (at + LINE > block.length) at = (at + LINE) % LINE;
        yield `${block.toString("latin1", at, at + LINE)}\n`;
        at += LINE;
      }
    }
  });
  return lengths;
}

/** Task 1: elements in genomic order, and one table with a score of each element and of its control. */
export async function writeElements(folder: string, rows: number, bases: number): Promise<ScaleInputs> {
  const genome = join(folder, "genome.fa");
  const lengths = await writeGenome(genome, bases);
  const rng = new Pcg64(2);
  const table = join(folder, "elements.tsv");
  await writeText(table, function* () {
    yield "chr\tinput_start\tinput_end\tccre_start\tccre_end\tccre_relative_start\tccre_relative_end\treverse_complement\n";
    for (const { chrom, position } of places(lengths, rows, WINDOW)) {
      const length = 150 + integerBelow(rng, 201);
      const from = Math.floor((WINDOW - length) / 2);
      const strand = integerBelow(rng, 2) === 0 ? "True" : "False";
      yield `${chrom}\t${position}\t${position + WINDOW}\t${position + from}\t${position + from + length}\t${from}\t${from + length}\t${strand}\n`;
    }
  });
  const scores = join(folder, "scores-1.tsv");
  let wins = 0;
  await writeText(scores, function* () {
    yield "idx\tseq_score\tctrl_score\n";
    for (let row = 0; row < rows; row++) {
      const element = -400 - 100 * rng.nextFloat64();
      const control = element - 10 * (rng.nextFloat64() - 0.3);
      if (element > control) wins++;
      yield `${row}\t${element}\t${control}\n`;
    }
  });
  return { genome, table, scores: [scores], expected: [wins / rows] };
}

/** Shares of the African caQTLs that are QTLs and controls. */
const QTLS = 6_821 / 219_382;
const CONTROLS = 77_999 / 219_382;

/**
 * Task 5: variants in genomic order in the form of the African caQTLs, and tables with a score of each
 * allele.
 */
export async function writeVariants(
  folder: string,
  rows: number,
  bases: number,
  tables: number,
): Promise<ScaleInputs> {
  const genome = join(folder, "genome.fa");
  const lengths = await writeGenome(genome, bases);
  const rng = new Pcg64(3);
  const table = join(folder, "variants.tsv");
  const kinds: ("qtl" | "control" | "other")[] = [];
  await writeText(table, function* () {
    yield "chr_hg38\tpos_hg38\tallele1\tallele2\tsnp_id\tlabel\tIsUsed\tbeta\tpval\n";
    for (const { chrom, position } of places(lengths, rows, 1)) {
      const draw = rng.nextFloat64();
      const kind = draw < QTLS ? "qtl" : draw < QTLS + CONTROLS ? "control" : "other";
      kinds.push(kind);
      const first = integerBelow(rng, 4);
      const second = (first + 1 + integerBelow(rng, 3)) % 4;
      const beta = (rng.nextFloat64() - 0.5).toPrecision(6);
      const p = (kind === "qtl" ? 1e-5 * rng.nextFloat64() : 0.01 + 0.99 * rng.nextFloat64()).toPrecision(6);
      yield `${chrom}\t${position + 1}\t${"ACGT"[first]}\t${"ACGT"[second]}\trs${kinds.length}\t${kind === "qtl" ? 1 : 0}\t${kind === "other" ? "False" : "True"}\t${beta}\t${p}\n`;
    }
  });
  const scores: string[] = [];
  const expected: number[] = [];
  for (let i = 1; i <= tables; i++) {
    const path = join(folder, `scores-${i}.tsv`);
    const sizes: { readonly size: number; readonly qtl: boolean }[] = [];
    await writeText(path, function* () {
      yield "idx\tallele1_scores\tallele2_scores\n";
      for (const [row, kind] of kinds.entries()) {
        const first = -2800 - 100 * rng.nextFloat64();
        const second = first + (kind === "qtl" ? 3 : 2) * (rng.nextFloat64() - 0.5);
        if (kind !== "other") sizes.push({ size: Math.abs(second - first), qtl: kind === "qtl" });
        yield `${row}\t${first}\t${second}\n`;
      }
    });
    scores.push(path);
    expected.push(areaUnderCurve(sizes));
  }
  return { genome, table, scores, expected };
}

/** Share of pairs of a QTL and a control in which the QTL's size is larger; ties do not occur. */
function areaUnderCurve(sizes: { readonly size: number; readonly qtl: boolean }[]): number {
  sizes.sort((a, b) => a.size - b.size);
  let controls = 0;
  let qtls = 0;
  let larger = 0;
  for (const { qtl } of sizes) {
    if (qtl) {
      larger += controls;
      qtls++;
    } else controls++;
  }
  return larger / (qtls * controls);
}

/** Evenly spread positions in genomic order: 0-based starts of `length` bases. */
function* places(lengths: ReadonlyMap<string, number>, count: number, length: number) {
  const bases = [...lengths.values()].reduce((sum, bases) => sum + bases, 0);
  let done = 0;
  let before = 0;
  for (const [chrom, here] of lengths) {
    const until = Math.round((count * (before + here)) / bases);
    const room = here - length;
    for (let i = 0; i < until - done; i++) yield { chrom, position: Math.floor((room * i) / (until - done)) };
    done = until;
    before += here;
  }
}

async function writeText(path: string, lines: () => Iterable<string>): Promise<void> {
  const stream = createWriteStream(path);
  let text = "";
  for (const line of lines()) {
    text += line;
    if (text.length < 2 ** 18) continue;
    if (!stream.write(text)) await once(stream, "drain");
    text = "";
  }
  stream.end(text);
  await once(stream, "close");
}

/** SHA-256 of concatenated texts, hexadecimal. */
export function digestOfTexts(texts: Iterable<string | Uint8Array>): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  return hash.digest("hex");
}
