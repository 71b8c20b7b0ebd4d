import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BigWig } from "@gmod/bbi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { bigWigBytes } from "../../../src/dna/genome/write-bigwig.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigwig-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function reopen(signal: ReadonlyMap<string, ArrayLike<number>>): Promise<BigWig> {
  const path = join(folder, `${Math.random()}.bw`);
  await writeFile(path, bigWigBytes(signal));
  return new BigWig({ path });
}

/** What @gmod/bbi reads back, one number per base. */
async function read(file: BigWig, chrom: string, start: number, end: number): Promise<number[]> {
  const values = new Array<number>(end - start).fill(0);
  for (const feature of await file.getFeatures(chrom, start, end)) {
    values.fill(feature.score!, Math.max(feature.start, start) - start, Math.min(feature.end, end) - start);
  }
  return values;
}

/** Sparse counts with runs, long enough for an index of two levels: more than 256 blocks of 1,024 runs. */
function counts(length: number, seed: number): Float32Array {
  const rng = new Pcg64(seed);
  return Float32Array.from({ length }, () => Math.max(0, (rng.nextUint32() >>> 29) - 3));
}

describe("bigWig writer", () => {
  test("@gmod/bbi reads back every base of every chromosome, through an index of two levels", async () => {
    const signal = new Map([
      ["chr2", counts(300_000, 1)],
      ["chr10", counts(400_000, 2)],
      ["chrUn_x", counts(50, 3)],
    ]);
    const file = await reopen(signal);
    const { refsByName, totalSummary } = await file.getHeader();
    expect(refsByName).toEqual({ chr10: 0, chr2: 1, chrUn_x: 2 });
    const all = Array.from(signal.values()).flatMap((values) => Array.from(values));
    expect(totalSummary).toMatchObject({
      basesCovered: all.filter((value) => value > 0).length,
      scoreMin: 1,
      scoreMax: 4,
      scoreSum: all.reduce((a, b) => a + b),
      scoreSumSquares: all.reduce((a, b) => a + b * b, 0),
    });
    for (const [chrom, values] of signal) {
      expect(await read(file, chrom, 0, values.length)).toEqual(Array.from(values));
    }
    const rng = new Pcg64(4);
    for (let i = 0; i < 50; i++) {
      const start = rng.nextUint32() % 399_000;
      expect(await read(file, "chr10", start, start + 777)).toEqual(
        Array.from(signal.get("chr10")!.slice(start, start + 777)),
      );
    }
  });

  test("fractions and negative numbers keep single precision; runs of equal numbers stay one entry", async () => {
    const file = await reopen(new Map([["chr1", [0, 0.1, 0.1, 0.1, -2.5, 0, 7]]]));
    const features = await file.getFeatures("chr1", 0, 7);
    expect(features.map(({ start, end, score }) => [start, end, score])).toEqual([
      [1, 4, Math.fround(0.1)],
      [4, 5, -2.5],
      [6, 7, 7],
    ]);
  });

  test("a signal that is 0 everywhere, and no chromosome at all, give files that open", async () => {
    const silent = await reopen(new Map([["chr1", new Float32Array(1000)]]));
    expect(await silent.getFeatures("chr1", 0, 1000)).toEqual([]);
    expect(bigWigBytes(new Map()).length).toBeGreaterThan(0);
  });

  test("what a bigWig file cannot hold is refused", () => {
    expect(() => bigWigBytes(new Map([["chr1", [1, Number.NaN]]]))).toThrow(/chr1 at base 1 is NaN/);
    expect(() => bigWigBytes(new Map([["chr 1", [1]]]))).toThrow(InputError);
  });

  test("equal signals give equal bytes whatever the order of chromosomes", () => {
    const [a, b] = [counts(500, 1), counts(300, 2)];
    expect(
      bigWigBytes(
        new Map([
          ["x", a],
          ["y", b],
        ]),
      ),
    ).toEqual(
      bigWigBytes(
        new Map([
          ["y", b],
          ["x", a],
        ]),
      ),
    );
  });
});
