import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { integerBelow } from "../../src/base/random.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import type { Agreement } from "./compare.ts";
import { compare } from "./compare.ts";
import { openOurs } from "./our-side.ts";
import { PythonPeer } from "./python-peer.ts";

export interface RaceOptions {
  readonly python: string;
  readonly rounds: number;
  readonly threads: number;
  /** Folder for untrained weights, one subfolder per model; existing weights are reused. */
  readonly weights: string;
}

/** Seconds of one forward pass of both sides, in one round. */
export interface Round {
  readonly ours: number;
  readonly theirs: number;
  readonly oursProcessor: number;
  readonly theirsProcessor: number;
}

export interface Race {
  readonly torch: string;
  readonly rows: number;
  readonly tokensPerRow: number;
  readonly rounds: readonly Round[];
  readonly agreement: Agreement;
}

const ROWS = 32;
/** Tokens of 350 bases, special ones included; byte pairs as for random bases. */
const TOKENS = { "one-letter": 351, "k-mer": 61, bpe: 77, any: 77 } as const;
/** Pause after a run: both runtimes keep their threads spinning for a moment. */
const REST_MS = 300;

/**
 * One model with untrained weights, ours and PyTorch's interleaved, after a comparison on the same tokens.
 */
export async function race(card: LanguageModelCard, preset: string, options: RaceOptions): Promise<Race> {
  const { python, rounds, threads, weights } = options;
  const folder = join(weights, `${card.name}-${preset}`);
  if (!existsSync(join(folder, "config.json"))) await initCheckpoint(card, { preset, seed: 1, folder });
  const ours = await openOurs(card, folder, threads);
  const peer = new PythonPeer(python);
  try {
    const torch = await peer.open({ family: card.name, folder, threads });
    const ids = rowsFor(card, folder);
    const agreement = await compare(ours, peer, ids, join(folder, "peer"));
    const times: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      await pause(REST_MS);
      const a = await ours.run(ids);
      await pause(REST_MS);
      const b = await peer.run(ids);
      times.push({
        ours: a.seconds,
        theirs: b.seconds,
        oursProcessor: a.processorSeconds,
        theirsProcessor: b.processorSeconds,
      });
    }
    return { torch, rows: ROWS, tokensPerRow: TOKENS[card.tokens], rounds: times, agreement };
  } finally {
    await peer.close();
    await ours.close();
  }
}

/** Random rows: bases and [SEP] for one-letter models, otherwise any tokens that are not special. */
function rowsFor(card: LanguageModelCard, folder: string): readonly (readonly number[])[] {
  const { vocab_size } = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as {
    readonly vocab_size: number;
  };
  const rng = new Pcg64(350);
  const tokens = TOKENS[card.tokens];
  return Array.from({ length: ROWS }, () =>
    card.tokens === "one-letter"
      ? [...Array.from({ length: tokens - 1 }, () => 7 + integerBelow(rng, 4)), 1]
      : Array.from({ length: tokens }, () => 5 + integerBelow(rng, vocab_size - 5)),
  );
}
