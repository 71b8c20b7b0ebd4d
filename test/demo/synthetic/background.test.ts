import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import {
  drawBackground,
  drawChain,
  drawRepeatFamilies,
  insertRepeats,
} from "../../../src/demo/synthetic/background.ts";
import { fitKmerMarkov } from "../../../src/models/baselines/kmer-markov.ts";

const LENGTH = 1_000_000;
const asciiOf = (codes: Uint8Array) => codes.map((code) => "ACGT".charCodeAt(code));
const share = (codes: Uint8Array, keep: (i: number) => boolean) => {
  let n = 0;
  for (let i = 0; i < codes.length; i++) if (keep(i)) n++;
  return n / codes.length;
};
const gcOf = (codes: Uint8Array) => share(codes, (i) => codes[i] === 1 || codes[i] === 2);
/** Frequency of CG over the product of the frequencies of C and G. */
const cpgRatio = (codes: Uint8Array) =>
  share(codes, (i) => codes[i] === 1 && codes[i + 1] === 2) /
  (share(codes, (i) => codes[i] === 1) * share(codes, (i) => codes[i] === 2));

describe("background", () => {
  const { codes, compositionAt } = drawBackground(new Pcg64(1), LENGTH);

  test("has the GC content of the human genome, isochores, and depleted CpG", () => {
    expect(gcOf(codes)).toBeGreaterThan(0.37);
    expect(gcOf(codes)).toBeLessThan(0.44);
    expect(cpgRatio(codes)).toBeGreaterThan(0.2);
    expect(cpgRatio(codes)).toBeLessThan(0.32);
    const windows = Array.from({ length: 200 }, (_, i) => gcOf(codes.subarray(i * 5000, (i + 1) * 5000)));
    expect(Math.max(...windows) - Math.min(...windows)).toBeGreaterThan(0.12);
  });

  test("has the stated composition at every position", () => {
    const byGc = new Map<number, Uint8Array[]>();
    for (let start = 0; start < LENGTH; start += 1000) {
      const { gc } = compositionAt(start);
      if (compositionAt(start + 999).gc !== gc) continue;
      byGc.set(gc, [...(byGc.get(gc) ?? []), codes.subarray(start, start + 1000)]);
    }
    const means = Array.from(byGc)
      .sort(([a], [b]) => a - b)
      .map(([, pieces]) => pieces.reduce((sum, piece) => sum + gcOf(piece), 0) / pieces.length);
    expect(means.length).toBeGreaterThanOrEqual(4);
    for (let i = 1; i < means.length; i++) expect(means[i]).toBeGreaterThan(means[i - 1] + 0.01);
  });

  test("an isochore has order 1: a longer context does not predict better", async () => {
    const composition = { gc: 0.4, cpg: 0.25 };
    const draw = (seed: number) => {
      const drawn = new Uint8Array(LENGTH);
      drawChain(new Pcg64(seed), drawn, 0, LENGTH, composition);
      return asciiOf(drawn);
    };
    const [training, unseen] = [draw(2), draw(3)];
    const text = new TextDecoder().decode(unseen);
    const perBase = async (order: number) =>
      -(await fitKmerMarkov([training], { order })).logLikelihood([text])[0] / LENGTH;
    const [order0, order1, order4] = [await perBase(0), await perBase(1), await perBase(4)];
    expect(order1).toBeLessThan(order0 - 0.01);
    expect(order4).toBeGreaterThan(order1 - 1e-4);
  });

  test("repeats cover about an eighth, are masked, and are predicted better with a longer context", async () => {
    const families = drawRepeatFamilies(new Pcg64(4));
    const withRepeats = codes.slice();
    const masked = insertRepeats(new Pcg64(5), withRepeats, families);
    const covered = share(masked, (i) => masked[i] === 1);
    expect(covered).toBeGreaterThan(0.1);
    expect(covered).toBeLessThan(0.14);
    expect(withRepeats.every((code, i) => masked[i] === 1 || code === codes[i])).toBe(true);
    const model = await fitKmerMarkov([asciiOf(withRepeats)], { order: 8 });
    const perBase = (keep: 0 | 1) => {
      const text = new TextDecoder().decode(asciiOf(withRepeats.filter((_, i) => masked[i] === keep)));
      return -model.logLikelihood([text])[0] / text.length;
    };
    expect(perBase(1)).toBeLessThan(perBase(0) - 0.2);
  });
});
