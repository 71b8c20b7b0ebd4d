import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { openGenome } from "../../../src/dna/genome/genome.ts";
import { dinucleotideShuffle } from "../../../src/dna/sequence/shuffle.ts";
import { ContextCounter } from "../../../src/models/baselines/context-counts.ts";
import { fitKmerMarkov } from "../../../src/models/baselines/kmer-markov.ts";
import { testWithSharedData } from "../../shared-data.ts";

const LETTERS = "ACGT";
const bytes = (letters: string) => new TextEncoder().encode(letters);
const words = (length: number): string[] =>
  length === 0 ? [""] : words(length - 1).flatMap((word) => Array.from(LETTERS, (letter) => word + letter));
const reverseComplement = (word: string) =>
  Array.from(word, (letter) => LETTERS[3 - LETTERS.indexOf(letter)])
    .reverse()
    .join("");

/** A chain of order 2 with distinct rows: chain.get(context)[letter]. */
function chainOfOrder2(seed: number): Map<string, number[]> {
  const rng = new Pcg64(seed);
  return new Map(
    words(2).map((context) => {
      const row = Array.from(LETTERS, () => 0.1 + rng.nextFloat64());
      const sum = row.reduce((a, b) => a + b);
      return [context, row.map((p) => p / sum)];
    }),
  );
}

function drawFrom(chain: Map<string, number[]>, length: number, seed: number): string {
  const rng = new Pcg64(seed);
  const letters = ["A", "C"];
  while (letters.length < length) {
    const row = chain.get(letters.at(-2)! + letters.at(-1)!)!;
    let u = rng.nextFloat64();
    let code = 0;
    while (code < 3 && u >= row[code]) u -= row[code++];
    letters.push(LETTERS[code]);
  }
  return letters.join("");
}

/** Limit of order 2 with both strands: frequencies of 3-mers, averaged with the other strand's. */
function bothStrandsLimit(chain: Map<string, number[]>): Map<string, number[]> {
  let stationary = new Map(words(2).map((context) => [context, 1 / 16]));
  for (let i = 0; i < 500; i++) {
    const next = new Map(words(2).map((context) => [context, 0]));
    for (const [context, share] of stationary) {
      chain.get(context)!.forEach((p, code) => {
        const to = context[1] + LETTERS[code];
        next.set(to, next.get(to)! + share * p);
      });
    }
    stationary = next;
  }
  const frequency = (word: string) =>
    stationary.get(word.slice(0, 2))! * chain.get(word.slice(0, 2))![LETTERS.indexOf(word[2])];
  return new Map(
    words(2).map((context) => {
      const both = Array.from(
        LETTERS,
        (x) => frequency(context + x) + frequency(reverseComplement(context + x)),
      );
      const sum = both.reduce((a, b) => a + b);
      return [context, both.map((f) => f / sum)];
    }),
  );
}

describe("k-mer Markov model", () => {
  test("the probabilities of all sequences of one length sum to 1", async () => {
    const training = fc.string({
      unit: fc.constantFrom("A", "C", "G", "T", "N"),
      minLength: 1,
      maxLength: 200,
    });
    await fc.assert(
      fc.asyncProperty(training, fc.integer({ min: 0, max: 6 }), async (letters, order) => {
        fc.pre(/[ACGT]/.test(letters));
        const model = await fitKmerMarkov([bytes(letters)], { order });
        for (const length of [1, 2, 5]) {
          const sum = model.logLikelihood(words(length)).reduce((total, ll) => total + Math.exp(ll), 0);
          expect(sum).toBeCloseTo(1, 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("on samples of a known chain the probabilities converge to it at the rate 1/√n", async () => {
    const chain = chainOfOrder2(3);
    const limit = bothStrandsLimit(chain);
    for (const [length, tolerance] of [
      [20_000, 0.05],
      [2_000_000, 0.005],
    ] as const) {
      const model = await fitKmerMarkov([bytes(drawFrom(chain, length, 5))], { order: 2 });
      for (const [context, row] of limit) {
        model.probabilities(context).forEach((p, code) => {
          expect(Math.abs(p - row[code])).toBeLessThan(tolerance);
        });
      }
    }
  });

  test("a score is the sum of the formula over the bases, with shorter contexts at the start", async () => {
    const training = drawFrom(chainOfOrder2(1), 3000, 2);
    const order = 4;
    const model = await fitKmerMarkov([bytes(training)], { order });
    const seen = new Map<string, number>(); // every word of up to order + 1 letters, both strands
    for (const strand of [training, reverseComplement(training)]) {
      for (let j = 0; j <= order; j++) {
        for (let i = 0; i + j < strand.length; i++) {
          const word = strand.slice(i, i + j + 1);
          seen.set(word, (seen.get(word) ?? 0) + 1);
        }
      }
    }
    const probability = (context: string | undefined, letter: string): number => {
      if (context === undefined) return 1 / 4;
      const shorter = probability(context === "" ? undefined : context.slice(1), letter);
      const total = Array.from(LETTERS, (x) => seen.get(context + x) ?? 0).reduce((a, b) => a + b);
      const strength = model.strengths[context.length];
      return ((seen.get(context + letter) ?? 0) + strength * shorter) / (total + strength);
    };
    for (const sequence of ["", "G", "ACGTTGCATGTCGCATGATGCATGAGAGCT", "TTTTTTTTTTTT"]) {
      let expected = 0;
      for (let i = 0; i < sequence.length; i++) {
        expected += Math.log(probability(sequence.slice(Math.max(0, i - order), i), sequence[i]));
      }
      expect(model.logLikelihood([sequence])[0]).toBeCloseTo(expected, 6);
    }
  });

  test("an order far too high for the data does not overfit", async () => {
    const chain = chainOfOrder2(7);
    const training = bytes(drawFrom(chain, 30_000, 8));
    const unseen = drawFrom(chain, 100_000, 9);
    const perBase = async (order: number) =>
      -(await fitKmerMarkov([training], { order })).logLikelihood([unseen])[0] / unseen.length;
    const [order0, order2, order9] = await Promise.all([perBase(0), perBase(2), perBase(9)]);
    expect(order2).toBeLessThan(order0 - 0.02); // nats per base
    expect(order9).toBeLessThan(order2 + 0.002);
  });

  test("sequences with the same k-mers and the same start tie exactly", async () => {
    const model = await fitKmerMarkov([bytes(drawFrom(chainOfOrder2(4), 50_000, 1))], { order: 1 });
    // Cutting between two equal bases and swapping the pieces between three of them keeps every dinucleotide.
    const [p, q, r] = [1, 2, 3].map((seed) => `${drawFrom(chainOfOrder2(4), 2500, seed).slice(2)}A`);
    const [one, other] = model.logLikelihood([`A${p}${q}${r}`, `A${q}${p}${r}`]);
    expect(one).toBe(other);
  });

  test("order 1 ties every sequence with its dinucleotide shuffle", async () => {
    const model = await fitKmerMarkov([bytes(drawFrom(chainOfOrder2(4), 50_000, 1))], { order: 1 });
    const dna = fc.string({ unit: fc.constantFrom("A", "C", "G", "T"), minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(dna, fc.nat(), (letters, seed) => {
        const [original, shuffled] = model.logLikelihood([
          letters,
          dinucleotideShuffle(letters, new Pcg64(seed)),
        ]);
        expect(shuffled).toBe(original);
      }),
    );
  });

  testWithSharedData(
    "a longer context predicts another human chromosome better",
    "genome/mini.hg38.fa.gz",
    async (path) => {
      await using genome = await openGenome(path);
      const training = (await genome.chromosome("chr2")).slice();
      const unseen = new TextDecoder().decode(await genome.chromosome("chr20"));
      const perBase: number[] = [];
      for (const order of [1, 5, 9]) {
        const model = await fitKmerMarkov([training], { order });
        perBase.push(-model.logLikelihood([unseen])[0] / unseen.length);
      }
      expect(perBase[0]).toBeLessThan(Math.log(4) - 0.04); // nats per base
      expect(perBase[1]).toBeLessThan(perBase[0] - 0.013);
      expect(perBase[2]).toBeLessThan(perBase[1] - 0.015);
    },
  );

  test("the identity depends on order and training data, not on how the data are passed", async () => {
    const identity = async (order: number, ...chromosomes: string[]) =>
      (await fitKmerMarkov(chromosomes.map(bytes), { order })).identity;
    const one = await identity(3, "ACGTTGCAGGA", "TTTACC");
    expect(await identity(3, "tttacc", "ACGTTGCAGGA")).toBe(one);
    expect(await identity(3, "ACGTTGCAGGANTTTACC")).toBe(one);
    expect(await identity(2, "ACGTTGCAGGA", "TTTACC")).not.toBe(one);
    expect(await identity(3, "ACGTTGCAGGA", "TTTACA")).not.toBe(one);
    expect(one).toMatch(/^kmer-markov order=3 strands=both .* counts=sha256:[0-9a-f]{64}$/);
  });

  test("chromosomes can be streamed, and fitting can be aborted between them", async () => {
    const controller = new AbortController();
    async function* stream() {
      yield bytes("ACGTACGT");
      controller.abort(new Error("stopped by the user"));
      yield bytes("GGGG");
    }
    expect((await fitKmerMarkov(stream(), { order: 2 })).trainingBases).toBe(12);
    await expect(fitKmerMarkov(stream(), { order: 2, signal: controller.signal })).rejects.toThrow(
      "stopped by the user",
    );
  });

  test("no training data, or a character that is not a base, is an input error", async () => {
    await expect(fitKmerMarkov([bytes("NNNN")], { order: 2 })).rejects.toThrow(InputError);
    await expect(fitKmerMarkov([], { order: 2 })).rejects.toThrow(/no A, C, G or T/);
    const model = await fitKmerMarkov([bytes("ACGT")], { order: 2 });
    expect(() => model.logLikelihood(["ACG", "ACNG"])).toThrow(/"N" at position 2/);
    expect(() => model.logLikelihood(["AŁ"])).toThrow(InputError); // U+0141: its low byte is an A's
  });

  test("probabilities use the last bases of a longer context, and all of a shorter one", async () => {
    const model = await fitKmerMarkov([bytes("ACGTTGCAGGATTACA")], { order: 2 });
    expect(model.probabilities("TTTAC")).toEqual(model.probabilities("AC"));
    expect(model.probabilities("").reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });

  test("shrinkage is strongest when longer contexts add nothing", async () => {
    const rng = new Pcg64(11);
    const letters = Uint8Array.from({ length: 200_000 }, () => LETTERS.charCodeAt(rng.nextUint32() >>> 30));
    const { strengths } = await fitKmerMarkov([letters], { order: 3 });
    const counter = new ContextCounter(0);
    counter.add(letters);
    expect(strengths[3]).toBeGreaterThan(counter.finish().bases / 64); // contexts of 3 letters: about 2 n / 64 counts each
  });
});
