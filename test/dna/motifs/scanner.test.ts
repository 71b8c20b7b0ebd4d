import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openGenome } from "../../../src/dna/genome/genome.ts";
import { readMotifs } from "../../../src/dna/motifs/meme.ts";
import type { Motif } from "../../../src/dna/motifs/motif.ts";
import { bitsOf, scaleMotif, tailProbabilities } from "../../../src/dna/motifs/scaled-motif.ts";
import { MotifScanner } from "../../../src/dna/motifs/scanner.ts";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplement } from "../../../src/dna/sequence/reverse-complement.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

type Hit = readonly [
  motif: number,
  sequence: number,
  start: number,
  strand: string,
  score: number,
  p: number,
];

interface Golden {
  readonly meme: string;
  readonly sequences: readonly string[];
  readonly threshold: number;
  readonly hits: readonly Hit[];
  readonly hocomoco: {
    readonly chrom: string;
    readonly start: number;
    readonly end: number;
    readonly thresholds: Readonly<
      Record<
        string,
        {
          readonly hits: readonly number[];
          readonly digest: string;
          readonly scores: number;
          readonly log10P: number;
        }
      >
    >;
  };
}

// scripts/golden/motif_hits.py (pymemesuite 0.1.0a4, which is FIMO's own code)
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../golden/motifs/fimo.json", import.meta.url), "utf8"),
);

async function goldenMotifs(): Promise<readonly Motif[]> {
  const file = join(temporaryFolder(), "random.meme");
  writeFileSync(file, golden.meme);
  return (await readMotifs(file)).motifs;
}

test("hits, scores and p-values in random sequences equal FIMO's", async () => {
  const scanner = new MotifScanner(await goldenMotifs(), { threshold: golden.threshold });
  const hits = scanner.hits(golden.sequences.map(codesOf));
  expect(golden.hits.length).toBeGreaterThan(200);
  expect(hits.map(({ motif, sequence, start, strand }) => [motif, sequence, start, strand])).toEqual(
    golden.hits.map((hit) => hit.slice(0, 4)),
  );
  hits.forEach(({ score, p, start, end, motif }, i) => {
    expect(Math.abs(score - golden.hits[i][4])).toBeLessThan(1e-9);
    expect(Math.abs(p / golden.hits[i][5] - 1)).toBeLessThan(1e-9);
    expect(end - start).toBe(scanner.motifs[motif].width);
  });
});

testWithSharedData(
  "hits of HOCOMOCO's 1,443 motifs in 60 kb of a chromosome equal FIMO's",
  "task2/H12CORE_meme_format.meme.gz",
  async (file) => {
    const { motifs } = await readMotifs(file);
    const { chrom, start, end, thresholds } = golden.hocomoco;
    await using genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const codes = codesOf(await genome.sequence({ chrom, start, end }));
    const expected = thresholds["0.0001"];
    const scanner = new MotifScanner(motifs);
    const hits = scanner.hits([codes]);
    expect(hits.length).toBe(31_514);
    const counts = new Int32Array(1443);
    for (const { motif } of hits) counts[motif]++;
    expect([...counts]).toEqual(expected.hits);
    const places = hits.map(({ motif, start: at, strand }) => `${motif}\t${at}\t${strand}\n`).join("");
    expect(createHash("sha256").update(places).digest("hex")).toBe(expected.digest);
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b);
    expect(Math.abs(sum(hits.map(({ score }) => score)) / expected.scores - 1)).toBeLessThan(1e-9);
    expect(Math.abs(sum(hits.map(({ p }) => Math.log10(p))) / expected.log10P - 1)).toBeLessThan(1e-9);
    // A stricter threshold keeps the hits below it.
    const strict = hits.filter(({ p }) => p <= 1e-5);
    expect(strict.length).toBe(sum(thresholds["1e-05"].hits));
  },
);

describe("a sequence", () => {
  const letters = golden.sequences[7];

  test("and its reverse complement have the same hits, mirrored", async () => {
    const scanner = new MotifScanner(await goldenMotifs(), { threshold: 1e-3 });
    const [here, there] = [letters, reverseComplement(letters)].map((some) => scanner.hits([codesOf(some)]));
    const turned = there
      .map(
        ({ motif, start, end, strand }) =>
          `${motif} ${letters.length - end} ${strand === "+" ? "-" : "+"} ${end - start}`,
      )
      .sort();
    expect(turned).toEqual(
      here.map(({ motif, start, end, strand }) => `${motif} ${start} ${strand} ${end - start}`).sort(),
    );
    expect(turned.length).toBeGreaterThan(10);
  });

  test("has the same hits at any position among others", async () => {
    const scanner = new MotifScanner(await goldenMotifs(), { threshold: 1e-3 });
    const alone = scanner.hits([codesOf(letters)]);
    const long = codesOf("ACGT".repeat(9000));
    const among = [codesOf(""), codesOf("ACG"), codesOf(letters), long, codesOf(letters), codesOf("N")];
    const hits = scanner.hits(among);
    for (const place of [2, 4]) {
      expect(hits.filter(({ sequence }) => sequence === place)).toEqual(
        alone.map((hit) => ({ ...hit, sequence: place })),
      );
    }
    expect(hits.some(({ sequence }) => sequence === 0 || sequence === 1 || sequence === 5)).toBe(false);
    const counts = scanner.counts(among);
    expect(counts[2].reduce((a, b) => a + b)).toBe(alone.length);
  });

  test("has no hit over an ambiguity letter", async () => {
    const scanner = new MotifScanner(await goldenMotifs(), { threshold: 1e-3 });
    const broken = `${letters.slice(0, 100)}N${letters.slice(101)}`;
    const expected = scanner.hits([codesOf(letters)]).filter(({ start, end }) => end <= 100 || start > 100);
    expect(scanner.hits([codesOf(broken)])).toEqual(expected);
  });
});

describe("p-values", () => {
  const motif: Motif = {
    name: "m",
    width: 6,
    probabilities: Float64Array.from(
      [..."ACGTAC"].flatMap((letter) => [..."ACGT"].map((l) => (l === letter ? 0.7 : 0.1))),
    ),
    sites: 50,
  };

  test("equal the exact probabilities over all words", () => {
    const scaled = scaleMotif(motif, { background: [0.1, 0.2, 0.3, 0.4] });
    expect([...scaled.background]).toEqual([0.25, 0.25, 0.25, 0.25]);
    const tail = tailProbabilities(scaled);
    const sums = Array.from({ length: 4 ** 6 }, (_, word) =>
      Array.from({ length: 6 }, (_, i) => scaled.scores[4 * i + ((word >> (2 * i)) & 3)]).reduce(
        (a, b) => a + b,
      ),
    );
    for (let least = 0; least < tail.length; least += 37) {
      expect(tail[least]).toBeCloseTo(sums.filter((sum) => sum >= least).length / sums.length, 12);
    }
    expect(tail.length).toBe(Math.max(...sums) + 1);
  });

  test("a score is the log-odds, up to rounding", () => {
    const scaled = scaleMotif(motif, { pseudocount: 0, background: [0.25, 0.25, 0.25, 0.25] });
    const best = [0, 1, 2, 3, 0, 1].reduce((sum, letter, i) => sum + scaled.scores[4 * i + letter], 0);
    expect(Math.abs(bitsOf(scaled, best) - 6 * Math.log2(0.7 / 0.25))).toBeLessThan(6 / scaled.scale);
  });

  test.each([
    [{ background: [0.5, 0.5, 0, 0] }, /is not a valid background/],
    [{ background: [0.5, 0.5] }, /is not a valid background/],
    [{ pseudocount: -1 }, /pseudocount is -1/],
    [{ threshold: 0 }, /p-value threshold is 0/],
    [{ threshold: Number.NaN }, /p-value threshold is NaN/],
  ])("refuses invalid options: %#", (options, message) => {
    expect(() => new MotifScanner([motif], options)).toThrow(message);
  });

  test("refuses motifs that cannot be scanned", () => {
    const never = { ...motif, probabilities: motif.probabilities.map((p) => (p === 0.7 ? 1 : 0)) };
    expect(() => new MotifScanner([never], { pseudocount: 0 })).toThrow(/log-odds are infinite/);
    expect(() => new MotifScanner([{ ...motif, width: 3 }])).toThrow(/expected at least 6/);
    expect(() => new MotifScanner([])).toThrow(/no motif/);
  });
});
