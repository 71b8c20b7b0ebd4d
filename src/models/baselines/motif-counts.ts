import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import type { Motif } from "../../dna/motifs/motif.ts";
import { MotifScanner } from "../../dna/motifs/scanner.ts";
import { codesOf } from "../../dna/sequence/encoding.ts";
import type { Model } from "../model.ts";

/** Largest p-value of a hit, as in the benchmark. */
const DEFAULT_THRESHOLD = 1e-5;

/** Sequences per call of the scanner. */
const BATCH = 256;

/** Options of `motifCounts`. */
export interface MotifCountsOptions {
  /** Largest p-value of a hit; 1e-5 if absent. */
  readonly threshold?: number;
}

/** A model whose embedding of a sequence is its number of hits of each motif. */
export type MotifCounts = Model & Required<Pick<Model, "pool" | "identity">>;

/**
 * Motif-count baseline. `pool` returns the number of hits of each motif on both strands, [motifs] in their
 * order, by the scores and p-values of FIMO. The model has no likelihood.
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
 * Opens `motif-counts:motifs.meme` or, with another threshold, `motif-counts:p=1e-4,motifs.meme`.
 * @throws {InputError} when the text has another form, or as `readMotifs`
 */
export async function openMotifCounts(spec: string): Promise<MotifCounts> {
  const [, threshold, path] = /^motif-counts:(?:p=([^,]*),)?(.+)$/s.exec(spec) ?? [];
  if (path === undefined) {
    throw new InputError("motif-counts needs a file of motifs", {
      hint: "write motif-counts:H12CORE_meme_format.meme, or motif-counts:p=1e-4,H12CORE_meme_format.meme",
    });
  }
  const { motifs } = await readMotifs(path);
  return motifCounts(motifs, threshold === undefined ? {} : { threshold: Number(threshold) });
}

/** SHA-256 of all properties of the motifs that determine the counts. */
function motifsDigest(motifs: readonly Motif[]): string {
  return sha256Hex(
    motifs.map(({ name, sites, probabilities }) => `${name} ${sites} ${probabilities.join(" ")}`).join("\n"),
  );
}
