import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Pcg64 } from "../src/base/pcg64.ts";
import { readMotifs } from "../src/dna/motifs/meme.ts";
import type { Motif } from "../src/dna/motifs/motif.ts";
import { MotifScanner } from "../src/dna/motifs/scanner.ts";

/** One measured speed. */
interface ScannerSpeed {
  readonly motifs: string;
  readonly threshold: number;
  /** CPU seconds to prepare all motifs: exact distributions and tables. */
  readonly secondsToPrepare: number;
  /** Positions times motifs per CPU second, both strands; best of rounds. */
  readonly placesTimesMotifsPerSecond: number;
  readonly sequencesPerSecond: number;
  readonly hitsPerSecond: number;
}

const SEQUENCES = 200;
const BASES = 500;
const ROUNDS = 5;

/**
 * Scanning of random sequences of 500 bases with HOCOMOCO's 1,443 motifs, or random motifs without the shared
 * test data.
 */
export async function benchmark(): Promise<readonly ScannerSpeed[]> {
  const rng = new Pcg64(3);
  const sequences = Array.from({ length: SEQUENCES }, () =>
    Uint8Array.from({ length: BASES }, () => Math.floor(4 * rng.nextFloat64())),
  );
  const { name, motifs } = await theMotifs(rng);
  const speeds: ScannerSpeed[] = [];
  for (const threshold of [1e-4, 1e-5]) {
    const prepare = await seconds(() => new MotifScanner(motifs, { threshold }));
    const scanner = prepare.result;
    const rounds: { seconds: number; result: readonly Float64Array[] }[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await seconds(() => scanner.counts(sequences)));
    const best = Math.min(...rounds.map((round) => round.seconds));
    const hits = rounds[0].result.reduce((sum, counts) => sum + counts.reduce((a, b) => a + b), 0);
    speeds.push({
      motifs: name,
      threshold,
      secondsToPrepare: prepare.seconds,
      placesTimesMotifsPerSecond: (SEQUENCES * BASES * motifs.length) / best,
      sequencesPerSecond: SEQUENCES / best,
      hitsPerSecond: hits / best,
    });
  }
  return speeds;
}

/** CPU time, to reduce the effect of other load. */
export async function seconds<T>(
  body: () => T | Promise<T>,
): Promise<{ readonly seconds: number; readonly result: T }> {
  const before = process.cpuUsage();
  const result = await body();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, result };
}

/** Folder of the real test data. */
export const sharedData =
  process.env.DART_EVAL_TEST_DATA ??
  join(dirname(fileURLToPath(import.meta.url)), "..", "..", "shared", "data");

export const HOCOMOCO = "HOCOMOCO v12 CORE, 1,443";

/** HOCOMOCO's motifs, or random ones without the test data. */
export async function theMotifs(
  rng: Pcg64,
): Promise<{ readonly name: string; readonly motifs: readonly Motif[] }> {
  const file = join(sharedData, "task2", "H12CORE_meme_format.meme.gz");
  if (existsSync(file)) return { name: HOCOMOCO, ...(await readMotifs(file)) };
  const motifs = Array.from({ length: 200 }, (_, i): Motif => {
    const width = 8 + (i % 14);
    const probabilities = new Float64Array(4 * width);
    for (let position = 0; position < width; position++) {
      const row = Array.from({ length: 4 }, () => rng.nextFloat64() ** 4);
      const sum = row.reduce((a, b) => a + b);
      probabilities.set(
        row.map((p) => p / sum),
        4 * position,
      );
    }
    return { name: `random${i}`, width, probabilities, sites: 500 };
  });
  return { name: "random, 200", motifs };
}
