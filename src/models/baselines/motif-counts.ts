import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import type { Motif } from "../../dna/motifs/motif.ts";
import { MotifScanner } from "../../dna/motifs/scanner.ts";
import { codesOf } from "../../dna/sequence/encoding.ts";
import type { Model } from "../model.ts";

/** The largest p-value of a hit: that of the benchmark's own counts. */
const DEFAULT_THRESHOLD = 1e-5;

/** Sequences per call: the scanner takes them together. */
const BATCH = 256;

/** Options of `motifCounts`. */
export interface MotifCountsOptions {
  /** The largest p-value of a hit; 1e-5 when left out. */
  readonly threshold?: number;
}

/** A model whose vector of a sequence is how often each motif is found in it. */
export type MotifCounts = Model & Required<Pick<Model, "pool" | "identity">>;

/**
 * The baseline of motif counts: `pool` gives the number of hits of each motif on both strands, in the motifs' order, by
 * FIMO's scores and p-values. It reads nothing else of a sequence, and gives no likelihood.
 *
 * @throws {InputError} as `MotifScanner`
 */
export function motifCounts(
  motifs: readonly Motif[],
  { threshold = DEFAULT_THRESHOLD }: MotifCountsOptions = {},
): MotifCounts {
  const scanner = new MotifScanner(motifs, { threshold });
  return {
    name: `motif-counts-${threshold}`,
    family: "motif-counts",
    identity: `motif counts version 1 p ${threshold} ${motifsDigest(motifs)}`,
    batchSize: BATCH,
    pool: (sequences) => scanner.counts(sequences.map(codesOf)),
  };
}

/**
 * The model of `motif-counts:motifs.meme` or, with another threshold, `motif-counts:p=1e-4,motifs.meme`.
 * @throws {InputError} when the text says something else, or as `readMotifs`
 */
export async function openMotifCounts(spec: string): Promise<MotifCounts> {
  const [, threshold, path] = /^motif-counts:(?:p=([^,]*),)?(.+)$/s.exec(spec) ?? [];
  if (path === undefined) {
    throw new InputError("motif-counts counts motifs, but no file of motifs is given", {
      hint: "write motif-counts:H12CORE_meme_format.meme, or motif-counts:p=1e-4,H12CORE_meme_format.meme",
    });
  }
  const { motifs } = await readMotifs(path);
  return motifCounts(motifs, threshold === undefined ? {} : { threshold: Number(threshold) });
}

/** Digest of everything about the motifs that a count depends on. */
function motifsDigest(motifs: readonly Motif[]): string {
  return sha256Hex(
    motifs.map(({ name, sites, probabilities }) => `${name} ${sites} ${probabilities.join(" ")}`).join("\n"),
  );
}
