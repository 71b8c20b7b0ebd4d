import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BigWig } from "@gmod/bbi";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { bigWigBytes } from "../../../src/dna/genome/write-bigwig.ts";
import { folderOfFile } from "../../temporary-folder.ts";

const folder = folderOfFile();

async function reopen(signal: ReadonlyMap<string, ArrayLike<number>>): Promise<BigWig> {
  const path = join(folder, `${Math.random()}.bw`);
  await writeFile(path, bigWigBytes(signal));
  return new BigWig({ path });
}

/** Values per base as read by @gmod/bbi. */
async function read(file: BigWig, chrom: string, start: number, end: number): Promise<number[]> {
  const values = new Array<number>(end - start).fill(0);
  for (const feature of await file.getFeatures(chrom, start, end)) {
    values.fill(feature.score!, Math.max(feature.start, start) - start, Math.min(feature.end, end) - start);
  }
  return values;
}

/** Sparse counts with enough runs for a two-level index: more than 256 blocks of 1,024 runs. */
function counts(length: number, seed: number): Float32Array {
  const rng = new Pcg64(seed);
  return Float32Array.from({ length }, () => Math.max(0, (rng.nextUint32() >>> 29) - 3));
}

describe("bigWig writer", () => {
  test("round-trips every base through @gmod/bbi with a two-level index", async () => {
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

  test("stores float32 values, and one item per run", async () => {
    const file = await reopen(new Map([["chr1", [0, 0.1, 0.1, 0.1, -2.5, 0, 7]]]));
    const features = await file.getFeatures("chr1", 0, 7);
    expect(features.map(({ start, end, score }) => [start, end, score])).toEqual([
      [1, 4, Math.fround(0.1)],
      [4, 5, -2.5],
      [6, 7, 7],
    ]);
  });

  test("signals of zeros and without chromosomes give valid files", async () => {
    const silent = await reopen(new Map([["chr1", new Float32Array(1000)]]));
    expect(await silent.getFeatures("chr1", 0, 1000)).toEqual([]);
    expect(bigWigBytes(new Map()).length).toBeGreaterThan(0);
  });

  test("refuses values and names that bigWig cannot store", () => {
    expect(() => bigWigBytes(new Map([["chr1", [1, Number.NaN]]]))).toThrow(/chr1 at base 1 is NaN/);
    expect(() => bigWigBytes(new Map([["chr 1", [1]]]))).toThrow(InputError);
  });

  test("the bytes do not depend on the order of chromosomes", () => {
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
