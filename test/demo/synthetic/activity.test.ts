import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import { logActivity } from "../../../src/demo/synthetic/grammar.ts";
import { drawSite, MOTIFS } from "../../../src/demo/synthetic/motifs.ts";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplementCodes } from "../../../src/dna/sequence/reverse-complement.ts";

const FULL = 1 / (1 + Math.exp(-2)); // occupancy of a site its consensus allows
const activityOf = (sequence: string) => logActivity(codesOf(sequence), 0, sequence.length);
const filler = (length: number) => "CCA".repeat(length).slice(0, length); // looks like no site

describe("activity", () => {
  test("is 0 in every cell line without sites", () => {
    expect(Array.from(activityOf(filler(200)))).toEqual([0, 0, 0, 0, 0]);
  });

  test("one site adds its weight times its occupancy, in its cell lines only", () => {
    const [gm12878, h1esc, hepg2, imr90, k562] = activityOf(`${filler(60)}AGATAAGA${filler(60)}`);
    expect(k562).toBeCloseTo(1.5 * FULL, 6);
    expect([gm12878, h1esc, hepg2, imr90]).toEqual([0, 0, 0, 0]);
  });

  test("a pair adds its bonus with the grammar's spacing and orientation only", () => {
    const k562 = CELL_LINES.indexOf("K562");
    const [forward, reverse] = ["AGATAAGA", "TCTTATCT"];
    const pair = (left: string, gap: number, right: string) =>
      activityOf(filler(40) + left + filler(gap) + right + filler(40))[k562];
    const alone = 2 * 1.5 * FULL;
    const together = alone + FULL * FULL;
    expect(pair(forward, 6, reverse)).toBeCloseTo(together, 5);
    expect(pair(reverse, 12, forward)).toBeCloseTo(together, 5);
    expect(pair(forward, 5, reverse)).toBeCloseTo(alone, 5);
    expect(pair(forward, 13, reverse)).toBeCloseTo(alone, 5);
    expect(pair(forward, 8, forward)).toBeCloseTo(alone, 5);
  });

  test("does not depend on the strand", () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const rng = new Pcg64(seed);
        const codes = Uint8Array.from({ length: 250 }, () => rng.nextUint32() >>> 30);
        for (let at = 5; at < 200; at += 35)
          codes.set(drawSite(rng, MOTIFS[rng.nextUint32() % MOTIFS.length]), at);
        const forward = logActivity(codes, 0, codes.length);
        reverseComplementCodes(codes);
        logActivity(codes, 0, codes.length).forEach((activity, cell) => {
          expect(activity).toBeCloseTo(forward[cell], 9);
        });
      }),
    );
  });
});
