import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BigWig } from "@gmod/bbi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import { readRegulatoryElements } from "../../../src/datasets/regulatory-elements/table.ts";
import { logActivity, SITE_WEIGHTS } from "../../../src/demo/synthetic/grammar.ts";
import { findSites, type MotifName, motifNamed } from "../../../src/demo/synthetic/motifs.ts";
import { type SyntheticGenome, writeSyntheticGenome } from "../../../src/demo/synthetic/write.ts";
import { splitPartOf } from "../../../src/dna/genome/chromosome-split.ts";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { elementAndControl } from "../../../src/evaluation/tasks/regulatory-elements/rows.ts";
import { pairedAccuracy, pairedCounts } from "../../../src/metrics/paired-accuracy.ts";
import { fitKmerMarkov } from "../../../src/models/baselines/kmer-markov.ts";

// The planted signals are recoverable, so tests may expect a correct model to score well and an incorrect one
// not to.

let folder: string;
let made: SyntheticGenome;
let chromosomes: Map<string, Uint8Array>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recovery-"));
  made = await writeSyntheticGenome(folder, { seed: 0, scale: 1 });
  chromosomes = new Map(
    made.chromosomes.map(({ name, codes }) => [name, codes.map((code) => "ACGTN".charCodeAt(code))]),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** P(a positive's score > a negative's), ties one half: by comparing all pairs. */
function auroc(positives: readonly number[], negatives: readonly number[]): number {
  let wins = 0;
  for (const positive of positives) {
    for (const negative of negatives) wins += positive > negative ? 1 : positive === negative ? 0.5 : 0;
  }
  return wins / (positives.length * negatives.length);
}

const correlation = (a: readonly number[], b: readonly number[]) => {
  const mean = (values: readonly number[]) => values.reduce((x, y) => x + y) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = (x: readonly number[], y: readonly number[], mx: number, my: number) =>
    x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0);
  return (
    covariance(a, b, meanA, meanB) /
    Math.sqrt(covariance(a, a, meanA, meanA) * covariance(b, b, meanB, meanB))
  );
};

/** Expected number of planted motifs in a sequence, by scanning it: the oracle. */
const siteCount = (sequence: string, counts: (motif: MotifName) => boolean = () => true) =>
  findSites(codesOf(sequence), 0, sequence.length, 0.3)
    .filter(({ motif }) => counts(motif))
    .reduce((sum, { occupancy }) => sum + occupancy, 0);

async function table(path: string): Promise<Record<string, string>[]> {
  const [header, ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
  const columns = header.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((cell, i) => [columns[i], cell])));
}

const sequenceAt = (chrom: string, start: number, end: number) =>
  new TextDecoder().decode(chromosomes.get(chrom)!.subarray(start, end));

describe("task 1 on the synthetic genome", () => {
  let pairs: { element: string; control: string }[];
  beforeAll(async () => {
    const rows = await readRegulatoryElements(made.files.regulatoryElements);
    pairs = rows
      .filter(({ chrom }) => splitPartOf(chrom) === "test")
      .map((row) => elementAndControl(chromosomes.get(row.chrom)!, row, 0));
  });

  async function accuracyOfOrder(order: number) {
    const training = Array.from(chromosomes).filter(([chrom]) => splitPartOf(chrom) === "train");
    const model = await fitKmerMarkov(
      training.map(([, sequence]) => sequence),
      { order },
    );
    return pairedCounts(
      model.logLikelihood(pairs.map(({ element }) => element)),
      model.logLikelihood(pairs.map(({ control }) => control)),
    );
  }

  test("an oracle with the motifs distinguishes elements from controls", () => {
    const elements = pairs.map(({ element }) => siteCount(element));
    const controls = pairs.map(({ control }) => siteCount(control));
    expect(auroc(elements, controls)).toBeGreaterThan(0.9);
  });

  test("dinucleotides are uninformative: orders 0 and 1 tie on every pair", async () => {
    expect(pairs.length).toBeGreaterThan(350);
    for (const order of [0, 1]) {
      expect(await accuracyOfOrder(order)).toMatchObject({ wins: 0, ties: pairs.length });
    }
  });

  test("longer k-mers are more informative", async () => {
    const accuracies = new Map<number, number>();
    for (const order of [3, 5, 8]) accuracies.set(order, pairedAccuracy(await accuracyOfOrder(order)));
    expect(accuracies.get(5)).toBeGreaterThan(0.6);
    expect(accuracies.get(5)).toBeLessThan(0.8);
    expect(accuracies.get(3)).toBeLessThan(accuracies.get(5)! - 0.05);
    expect(accuracies.get(8)).toBeGreaterThan(accuracies.get(5)! + 0.03);
  });
});

/** Sum of a signal before each position of a chromosome, [length + 1], by the reader of @gmod/bbi. */
async function cutsBefore(path: string): Promise<Map<string, Float64Array>> {
  const signal = new BigWig({ path });
  const before = new Map<string, Float64Array>();
  for (const [chrom, { length }] of chromosomes) {
    const sums = new Float64Array(length + 1);
    for (const { start, end, score } of await signal.getFeatures(chrom, 0, length)) {
      for (let i = start; i < end; i++) sums[i + 1] = score!;
    }
    for (let i = 0; i < length; i++) sums[i + 1] += sums[i];
    before.set(chrom, sums);
  }
  return before;
}

describe("tasks 3 and 4 on the synthetic genome", () => {
  test("an oracle predicts the cell line of elements", async () => {
    const rows = await table(made.files.cellTypePeaks);
    const perClass = CELL_LINES.map((cell) => rows.filter(({ label }) => label === cell).length);
    expect(Math.min(...perClass)).toBeGreaterThan(100);
    const named = rows.filter(({ chr, input_start: start, input_end: end, label }) => {
      const sites = findSites(codesOf(sequenceAt(chr, Number(start), Number(end))), 0, 500, 0.3);
      const support = CELL_LINES.map((cell) =>
        sites.reduce((sum, { motif, occupancy }) => {
          const weight = SITE_WEIGHTS[motif];
          return sum + occupancy * (typeof weight === "number" ? 0 : (weight[cell] ?? 0));
        }, 0),
      );
      return CELL_LINES[support.indexOf(Math.max(...support))] === label;
    });
    expect(named.length / rows.length).toBeGreaterThan(0.85);
  });

  test.each(CELL_LINES)(
    "%s: cuts at peaks follow the true activity; peaks stand out from non-peaks",
    async (cell) => {
      const files = made.files.cellLines[cell];
      const before = await cutsBefore(files.signal);
      const logCuts = (rows: Record<string, string>[]) =>
        rows.map(({ chr, elem_start, elem_end }) => {
          const cuts = before.get(chr)!;
          return Math.log1p(cuts[Number(elem_end)] - cuts[Number(elem_start)]);
        });
      const peaks = made.peaks.get(cell)!;
      const line = CELL_LINES.indexOf(cell);
      const truth = new Map(made.elements.map(({ planted, logActivity }) => [planted, logActivity[line]]));
      const observed = logCuts(await table(files.peaksTable));
      expect(
        correlation(
          observed,
          peaks.map(({ element }) => truth.get(element)!),
        ),
      ).toBeGreaterThan(0.9);
      const confident = logCuts(await table(files.confidentPeaksTable));
      const nonPeaks = logCuts(await table(files.nonPeaksTable));
      expect(auroc(confident, nonPeaks)).toBeGreaterThan(0.95);
      // GC content does not distinguish peaks.
      const gc = async (path: string) =>
        (await table(path)).map(({ chr, input_start, input_end }) => {
          const sequence = sequenceAt(chr, Number(input_start), Number(input_end));
          return sequence.replace(/[AT]/g, "").length / sequence.length;
        });
      expect(
        Math.abs(auroc(await gc(files.confidentPeaksTable), await gc(files.nonPeaksTable)) - 0.5),
      ).toBeLessThan(0.15);
    },
  );
});

describe("task 5 on the synthetic genome", () => {
  const studies = () => Array.from(made.variants.values()).flat();

  test("breaking a site lowers its motif's score and the element's cuts, making one raises both", () => {
    let compared = 0;
    for (const { chrom, position, reference, alternative, mechanism, motif, element, effects } of studies()) {
      expect(sequenceAt(chrom, position, position + 1)).toBe(reference);
      expect(alternative).not.toBe(reference);
      if (motif === undefined) continue;
      const { width } = motifNamed(motif);
      const around = sequenceAt(chrom, position - width + 1, position + width);
      const occupied = (sequence: string) =>
        findSites(codesOf(sequence), 0, sequence.length, 1e-6)
          .filter((site) => site.motif === motif)
          .reduce((sum, { occupancy }) => sum + occupancy, 0);
      const change =
        occupied(around.slice(0, width - 1) + alternative + around.slice(width)) - occupied(around);
      const sign = mechanism === "breaks a site" ? -1 : 1;
      expect(Math.sign(change)).toBe(sign);
      expect(Math.sign(effects[CELL_LINES.indexOf("GM12878")])).toBe(sign);
      expect(position >= element!.start && position < element!.end).toBe(true);
      compared++;
    }
    expect(compared).toBe(240);
  });

  test("effects are ln fold changes of mean cuts in 1,000 bases", () => {
    const cuts = (activity: number) => 10 + 2 * (Math.exp(activity) - 1);
    for (const { position, alternative, element, effects } of studies()) {
      if (element === undefined) continue;
      const reference = codesOf(sequenceAt(element.chrom, element.start, element.end));
      const changed = reference.slice();
      changed[position - element.start] = "ACGT".indexOf(alternative);
      const [before, after] = [reference, changed].map((codes) => logActivity(codes, 0, codes.length));
      effects.forEach((effect, cell) => {
        expect(effect).toBeCloseTo(Math.log(cuts(after[cell]) / cuts(before[cell])), 9);
      });
    }
  });

  test("variants between sites and outside elements have no effect", () => {
    const idle = studies().filter(({ motif }) => motif === undefined);
    expect(idle.length).toBe(960);
    for (const { effects, estimate } of idle) {
      expect(Math.abs(effects[0])).toBeLessThanOrEqual(0.01);
      expect(Math.abs(estimate)).toBeLessThan(0.6); // the error of the estimate alone
    }
  });

  test("the African table: allele 2 is the reference in about 18 % of rows; beta is alternative against reference", async () => {
    const rows = await table(made.files.africanVariants);
    const variants = made.variants.get("african")!;
    expect(rows.length).toBe(800);
    let swapped = 0;
    rows.forEach((row, i) => {
      const { chrom, position, reference, alternative, estimate } = variants[i];
      expect([row.chr_hg38, Number(row.pos_hg38)]).toEqual([chrom, position + 1]);
      if (row.allele2 === reference) swapped++;
      expect([row.allele1, row.allele2].sort()).toEqual([reference, alternative].sort());
      expect(Number(row.beta)).toBeCloseTo(estimate, 5);
      expect(row.snp_id).toBe(`${row.chr_hg38}_${row.pos_hg38}_${row.allele1}_${row.allele2}`);
    });
    expect(Math.abs(swapped / rows.length - 0.18)).toBeLessThan(0.06);
    const used = rows.filter((row) => row.IsUsed === "True" && row.in_peaks === "True");
    const significant = used.filter((row) => row.label === "True");
    expect(significant.length).toBeGreaterThan(120);
    expect(used.length - significant.length).toBeGreaterThan(200);
    for (const row of significant) expect(Math.abs(Number(row.beta))).toBeGreaterThan(0.3);
  });

  test("the Yoruban table: the estimate is allele 1 against allele 2, NaN for controls", async () => {
    const rows = await table(made.files.yorubanVariants);
    const variants = made.variants.get("yoruban")!;
    expect(rows.length).toBe(400);
    const orders = new Set<string>();
    rows.forEach((row, i) => {
      const { position, reference, estimate } = variants[i];
      expect(Number(row["var.pos"])).toBe(position + 1);
      const referenceIsFirst = row["var.allele1"] === reference;
      const oneAgainstTwo = referenceIsFirst ? -estimate : estimate;
      if (row["var.label"] === "-1") expect(row["obs.estimate"]).toBe("NaN");
      else expect(Number(row["obs.estimate"])).toBeCloseTo(oneAgainstTwo, 5);
      orders.add(`${row["var.label"]} ${referenceIsFirst}`);
    });
    expect(orders.size).toBe(4); // both orders, among significant variants and among controls
    expect(rows.filter((row) => row["var.label"] === "1").length).toBeGreaterThan(60);
  });
});
