import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { drawSite, findSites, MOTIFS, memeText, motifNamed } from "../../../src/demo/synthetic/motifs.ts";
import { codesOf, sequenceOf } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplementCodes } from "../../../src/dna/sequence/reverse-complement.ts";
import { IUPAC } from "../../iupac.ts";

const allows = (consensus: string, letters: string) =>
  Array.from(letters).every((letter, i) => IUPAC[consensus[i]].includes(letter));
const firstOf = (consensus: string) => Array.from(consensus, (letter) => IUPAC[letter][0]).join("");

describe("motifs", () => {
  test.each(MOTIFS)(
    "$name: each position is a distribution over the bases that $consensus allows",
    (motif) => {
      for (let i = 0; i < motif.width; i++) {
        const row = motif.probabilities.subarray(4 * i, 4 * i + 4);
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        row.forEach((p, code) => {
          const allowed = IUPAC[motif.consensus[i]].includes("ACGT"[code]);
          if (allowed) expect(p).toBeGreaterThan(0.24);
          else expect(p).toBeCloseTo(0.02, 12);
        });
      }
    },
  );

  test.each(MOTIFS)(
    "finds $name at its position, on either strand, with lower occupancy for mismatches",
    (motif) => {
      const site = codesOf(firstOf(motif.consensus));
      for (const strand of ["+", "-"] as const) {
        const codes = codesOf("TTTTTTTTTT".repeat(6));
        const turned = site.slice();
        if (strand === "-") reverseComplementCodes(turned);
        codes.set(turned, 20);
        const best = findSites(codes, 0, codes.length, 0.5).find(({ motif: name }) => name === motif.name)!;
        const palindrome = allows(motif.consensus, sequenceOf(reversed(site)));
        expect(best).toMatchObject({ start: 20, end: 20 + motif.width, strand: palindrome ? "+" : strand });
        expect(best.occupancy).toBeCloseTo(1 / (1 + Math.exp(-2)), 9);
      }
    },
  );

  test("one mismatch lowers occupancy to 0.12, two to less than 0.01; the search stays in its range", () => {
    const { name } = motifNamed("CREB");
    const occupied = (letters: string) =>
      findSites(codesOf(letters), 2, letters.length - 2, 1e-6).find(({ motif }) => motif === name)
        ?.occupancy ?? 0;
    expect(occupied("AATGACGTCAAA")).toBeGreaterThan(0.88);
    expect(occupied("AATGATGTCAAA")).toBeCloseTo(0.136, 2);
    expect(occupied("AATGATATCAAA")).toBeLessThan(0.01);
    expect(occupied("ATGACGTCAAAA")).toBeLessThan(0.01); // begins before the range
  });

  test("drawn sites follow the motif's probabilities", () => {
    const motif = motifNamed("NFKB");
    const rng = new Pcg64(5);
    const n = 20_000;
    const seen = new Float64Array(4 * motif.width);
    for (let k = 0; k < n; k++) {
      drawSite(rng, motif).forEach((code, i) => {
        seen[4 * i + code] += 1 / n;
      });
    }
    seen.forEach((share, i) => {
      const p = motif.probabilities[i];
      expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
    });
  });

  test("the MEME file has every motif with its width, rows that sum to 1, and an empty line after the last row", () => {
    const text = memeText(MOTIFS);
    const blocks = text.split(/^MOTIF /m).slice(1);
    expect(text).toMatch(/^MEME version 4\n\nALPHABET= ACGT\n/);
    expect(blocks.map((block) => block.split("\n")[0])).toEqual(MOTIFS.map(({ name }) => name));
    blocks.forEach((block, i) => {
      const lines = block.split("\n");
      expect(lines[1].split(/\s+/)[5]).toBe(String(MOTIFS[i].width));
      const rows = lines.slice(2, 2 + MOTIFS[i].width).map((line) => line.split(" ").map(Number));
      for (const row of rows) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(lines.slice(2 + MOTIFS[i].width)).toEqual(["", ""]);
    });
  });
});

function reversed(codes: Uint8Array): Uint8Array {
  const copy = codes.slice();
  reverseComplementCodes(copy);
  return copy;
}
