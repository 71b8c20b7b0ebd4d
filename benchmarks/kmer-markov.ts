import { Pcg64 } from "../src/base/pcg64.ts";
import { ContextCounter } from "../src/models/baselines/context-counts.ts";
import { fitKmerMarkov } from "../src/models/baselines/kmer-markov.ts";

/** Speeds of one order; processor time, so that other work on the machine counts little. */
export interface MarkovSpeed {
  readonly order: number;
  /** Millions of letters counted per second: what a whole genome costs. */
  readonly countedPerSecond: number;
  /** Seconds from the counts to a model, whatever the genome's size. */
  readonly fitSeconds: number;
  /** Sequences of 350 bases scored per second. */
  readonly scoredPerSecond: number;
}

const LETTERS = 50_000_000;
const SEQUENCES = 20_000;
const BASES = 350;

/** Markov models of several orders on random letters, which spread over the counters most: the slowest case. */
export async function benchmark(): Promise<readonly MarkovSpeed[]> {
  const rng = new Pcg64(1);
  const letters = new Uint8Array(LETTERS);
  for (let i = 0; i < LETTERS; i++) letters[i] = "ACGT".charCodeAt(rng.nextUint32() >>> 30);
  const text = new TextDecoder();
  const sequences = Array.from({ length: SEQUENCES }, (_, i) =>
    text.decode(letters.subarray(i * BASES, (i + 1) * BASES)),
  );
  const warmUp = await fitKmerMarkov([letters.subarray(0, 1_000_000)], { order: 4 });
  warmUp.logLikelihood(sequences);

  const speeds: MarkovSpeed[] = [];
  for (const order of [1, 5, 8, 9, 11]) {
    const counter = new ContextCounter(order);
    counter.add(letters.subarray(0, 5_000_000)); // touches the counters for the first time
    const counting = await secondsOf(() => counter.add(letters));
    const model = await fitKmerMarkov([letters.subarray(0, 100_000)], { order });
    const fitSeconds = await secondsOf(() => fitKmerMarkov([letters.subarray(0, 100_000)], { order }));
    const scoring = await secondsOf(() => model.logLikelihood(sequences));
    speeds.push({
      order,
      countedPerSecond: LETTERS / 1e6 / counting,
      fitSeconds,
      scoredPerSecond: SEQUENCES / scoring,
    });
  }
  return speeds;
}

async function secondsOf(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
