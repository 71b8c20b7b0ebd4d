import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { ContextCounter, reverseComplementWord } from "../../../src/models/baselines/context-counts.ts";

const bytes = (letters: string) => new TextEncoder().encode(letters);

/** Naive counts: every base with the j bases before it, on both strands. */
function countByHand(chromosomes: readonly string[], order: number): Map<string, number>[] {
  const levels = Array.from({ length: order + 1 }, () => new Map<string, number>());
  const complement: Record<string, string> = { A: "T", C: "G", G: "C", T: "A" };
  for (const stretch of chromosomes.flatMap((letters) => letters.toUpperCase().split(/[^ACGT]+/))) {
    const other = Array.from(stretch, (letter) => complement[letter])
      .reverse()
      .join("");
    for (const strand of [stretch, other]) {
      for (let j = 0; j <= order; j++) {
        for (let i = j; i < strand.length; i++) {
          const word = strand.slice(i - j, i + 1);
          levels[j].set(word, (levels[j].get(word) ?? 0) + 1);
        }
      }
    }
  }
  return levels;
}

const wordOf = (index: number, length: number) =>
  Array.from({ length }, (_, i) => "ACGT"[Math.floor(index / 4 ** (length - 1 - i)) % 4]).join("");

describe("context counts", () => {
  test("every level equals a naive count on both strands, with breaks, lower case and short stretches", () => {
    const letter = fc.constantFrom("A", "C", "G", "T", "a", "c", "g", "t", "N", "R");
    const chromosome = fc.string({ unit: letter, maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(chromosome, { maxLength: 4 }),
        fc.integer({ min: 0, max: 4 }),
        (chromosomes, order) => {
          const counter = new ContextCounter(order);
          for (const letters of chromosomes) counter.add(bytes(letters));
          const counts = counter.finish();
          const expected = countByHand(chromosomes, order);
          expect(counts.bases).toBe(chromosomes.join("").replace(/[^ACGT]/gi, "").length);
          for (let j = 0; j <= order; j++) {
            counts.levels[j].forEach((n, w) => {
              expect(n).toBe(expected[j].get(wordOf(w, j + 1)) ?? 0);
            });
          }
        },
      ),
    );
  });

  test("reverse complements of k-mers up to 12 bases", () => {
    const index = (word: string) => Array.from(word).reduce((sum, l) => sum * 4 + "ACGT".indexOf(l), 0);
    expect(reverseComplementWord(index("AACG"), 4)).toBe(index("CGTT"));
    for (let length = 1; length <= 12; length++) {
      const word = (4 ** length - 1) & 0x9d2c56;
      expect(reverseComplementWord(reverseComplementWord(word, length), length)).toBe(word);
    }
  });

  test.each([-1, 12, 2.5, Number.NaN])("order %s is refused", (order) => {
    expect(() => new ContextCounter(order)).toThrow(InputError);
    expect(() => new ContextCounter(order)).toThrow(/an integer from 0 to 11/);
  });
});
