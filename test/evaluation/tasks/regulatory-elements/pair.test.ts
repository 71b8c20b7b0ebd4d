import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InputError } from "../../../../src/base/errors.ts";
import { readRegulatoryElements } from "../../../../src/datasets/regulatory-elements/table.ts";
import { type Genome, openGenome } from "../../../../src/dna/genome/genome.ts";
import { reverseComplement } from "../../../../src/dna/sequence/reverse-complement.ts";
import {
  elementAndControl,
  elementAndControlCodes,
  elementAndControlOneHot,
  type PairRow,
  pairFacts,
} from "../../../../src/evaluation/tasks/regulatory-elements/rows.ts";
import { sharedData, testWithSharedData } from "../../../shared-data.ts";

const GENOME = "genome/mini.hg38.fa.gz";

/**
 * Lines of a golden file: the row as the table has it, and both sequences as the original's arg-max made
 * them.
 */
async function goldenLines(path: string) {
  const bytes = await readFile(sharedData(path)!);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [idx, chrom, inputStart, inputEnd, elementStart, elementEnd, rc, seq, ctrl] = line.split("\t");
      const row: PairRow = {
        chrom,
        inputStart: Number(inputStart),
        inputEnd: Number(inputEnd),
        elementStart: Number(elementStart),
        elementEnd: Number(elementEnd),
        reverseComplement: rc === "True",
      };
      return { index: Number(idx), row, seq, ctrl };
    });
}

async function compare(genome: Genome, golden: string, table: string): Promise<number> {
  // Without the genome: one of the edge cases is an element that runs over the chromosome's end.
  const rows = await readRegulatoryElements(sharedData(table)!);
  const lines = await goldenLines(golden);
  for (const { index, row, seq, ctrl } of lines) {
    expect(rows[index]).toMatchObject(row);
    const pair = elementAndControl(await genome.chromosome(row.chrom), rows[index], 0);
    expect(pair, `${golden} row ${index}`).toEqual({ element: seq, control: ctrl });
  }
  return lines.length;
}

test("flanks of a widened window stay, of an element that is wider than the window too", () => {
  const letters = "ACGTTGCATGTCGCATGATGCATGAGAGCTACGATCGATTTACGGCTAAC".repeat(8);
  const row = { chrom: "chr1", inputStart: 100, inputEnd: 300, elementStart: 90, elementEnd: 310 };
  const pairOf = (flank: number) =>
    elementAndControl(Buffer.from(letters), { ...row, reverseComplement: false, flank }, 0);
  const { element, control } = pairOf(60);
  expect(element).toBe(letters.slice(100, 300));
  expect(control.slice(0, 60)).toBe(element.slice(0, 60));
  expect(control.slice(140)).toBe(element.slice(140));
  expect(control.slice(60, 140)).not.toBe(element.slice(60, 140));
  const whole = pairOf(0).control;
  expect(whole.slice(0, 60)).not.toBe(element.slice(0, 60));
  expect(whole.slice(140)).not.toBe(element.slice(140));
});

testWithSharedData("every pair of the original, letter for letter", GENOME, async (path) => {
  await using genome = await openGenome(path);
  const table = "task1/elements_processed.tsv";
  expect(await compare(genome, "task1/controls.golden.tsv", table)).toBe(150);
  expect(await compare(genome, "task1/controls.all.golden.tsv.gz", table)).toBe(1187);
});

testWithSharedData(
  "N in the core, windows over an end, cores of one to three bases, both strands",
  GENOME,
  async (path) => {
    await using genome = await openGenome(path);
    expect(await compare(genome, "task1/controls.edge.golden.tsv", "task1/edge_processed.tsv")).toBe(26);
  },
);

testWithSharedData(
  "codes and one-hot rows say the same as the bases, and keep N apart",
  GENOME,
  async (path) => {
    await using genome = await openGenome(path);
    let unknown = 0;
    for (const { row, seq, ctrl } of await goldenLines("task1/controls.edge.golden.tsv")) {
      const chromosome = await genome.chromosome(row.chrom);
      const codes = elementAndControlCodes(chromosome, row, 0);
      const oneHot = elementAndControlOneHot(chromosome, row, 0);
      for (const [member, bases] of [
        ["element", seq],
        ["control", ctrl],
      ] as const) {
        expect(oneHot[member]).toHaveLength(4 * bases.length);
        for (let i = 0; i < bases.length; i++) {
          const channels = [...oneHot[member].subarray(4 * i, 4 * i + 4)];
          const code = codes[member][i];
          if (code === 4) unknown++;
          // The arg-max of a row of zeros is the first channel.
          expect(bases[i]).toBe("ACGT"[channels.indexOf(Math.max(...channels))]);
          expect(channels).toEqual([0, 1, 2, 3].map((channel) => (channel === code ? 1 : 0)));
        }
      }
    }
    expect(unknown).toBeGreaterThan(1000);
  },
);

const chromosome = Buffer.from(`NN${"ACGTTGCATGTCGCATGATGCATGAGAGCTACGATCGATTTACGGCTAAC".repeat(4)}`);
const row: PairRow = {
  chrom: "chr1",
  inputStart: 20,
  inputEnd: 140,
  elementStart: 40,
  elementEnd: 120,
  reverseComplement: false,
};

test("shuffles only the element's bases, and reverse-complements the whole pair", () => {
  const { element, control } = elementAndControl(chromosome, row, 0);
  expect(element).toBe(chromosome.toString().slice(20, 140));
  expect(control.slice(0, 20) + control.slice(100)).toBe(element.slice(0, 20) + element.slice(100));
  expect(control).not.toBe(element);
  const turned = elementAndControl(chromosome, { ...row, reverseComplement: true }, 0);
  expect(turned).toEqual({ element: reverseComplement(element), control: reverseComplement(control) });
});

test("the shuffle depends on seed and position, not on earlier rows", () => {
  const control = elementAndControl(chromosome, row, 0).control;
  expect(elementAndControl(chromosome, row, 1).control).not.toBe(control);
  expect(elementAndControl(chromosome, { ...row, chrom: "chr2" }, 0).control).not.toBe(control);
  expect(elementAndControl(chromosome, row, 0).control).toBe(control);
});

test("an element of one base is its own control, N too unless the window is reverse-complemented", () => {
  const first = { ...row, inputStart: 0, elementStart: 0, elementEnd: 1 };
  for (const reverseComplement of [false, true]) {
    const pair = elementAndControl(chromosome, { ...first, reverseComplement }, 0);
    expect(pairFacts(chromosome, { ...first, reverseComplement }, 0)).toEqual({
      hasUnknown: true,
      same: pair.element === pair.control,
    });
    expect(pair.element === pair.control).toBe(!reverseComplement);
  }
});

test("refuses an element outside its window", () => {
  const beyond = { ...row, inputStart: 195, inputEnd: 315, elementStart: 205, elementEnd: 300 };
  expect(() => elementAndControl(chromosome, beyond, 0)).toThrow(InputError);
  expect(() => elementAndControl(chromosome, beyond, 0)).toThrow(
    "no base of the element chr1:205-300 lies in its window 195-315 and on the chromosome, which has 202",
  );
  expect(() => elementAndControl(chromosome, { ...row, elementStart: 140, elementEnd: 150 }, 0)).toThrow(
    "no base",
  );
});
