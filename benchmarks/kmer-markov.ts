import { Pcg64 } from "../src/base/pcg64.ts";
import { ContextCounter } from "../src/models/baselines/context-counts.ts";
import { fitKmerMarkov } from "../src/models/baselines/kmer-markov.ts";
import type { Figure } from "./measure.ts";

const LETTERS = 50_000_000;
const TRAINING = 100_000;
const SEQUENCES = 20_000;
const BASES = 350;

/** Markov models of several orders on random bases, which spread over all counters: the slowest case. */
export async function benchmark(): Promise<readonly Figure[]> {
  const rng = new Pcg64(1);
  const letters = new Uint8Array(LETTERS);
  for (let i = 0; i < LETTERS; i++) letters[i] = "ACGT".charCodeAt(rng.nextUint32() >>> 30);
  const text = new TextDecoder();
  const sequences = Array.from({ length: SEQUENCES }, (_, i) =>
    text.decode(letters.subarray(i * BASES, (i + 1) * BASES)),
  );
  const training = letters.subarray(0, TRAINING);
  const warmUp = await fitKmerMarkov([training], { order: 4 });
  warmUp.logLikelihood(sequences);

  const figures: Figure[] = [];
  for (const order of [1, 5, 8, 9, 11]) {
    const counter = new ContextCounter(order);
    counter.add(letters.subarray(0, 5_000_000)); // touches the counters for the first time
    const counting = await cpuSeconds(() => counter.add(letters));
    const model = await fitKmerMarkov([training], { order });
    const fitting = await cpuSeconds(() => fitKmerMarkov([training], { order }));
    const scoring = await cpuSeconds(() => model.logLikelihood(sequences));
    figures.push(
      {
        name: `order ${order}, counting`,
        value: LETTERS / 1e6 / counting,
        unit: "Mb/s",
        data: "50 Mb of random bases in memory, CPU time",
        ...(order <= 8 ? { target: 50 } : {}), // higher orders wait for memory at each count
      },
      {
        name: `order ${order}, fitting`,
        value: fitting,
        unit: "s",
        data: "100 kb of random bases; about the same for a genome, without counting",
      },
      {
        name: `order ${order}, scoring`,
        value: SEQUENCES / scoring,
        unit: "sequences/s",
        data: `${SEQUENCES.toLocaleString("en")} sequences of ${BASES} random bases`,
      },
    );
  }
  return figures;
}

/** CPU seconds, to reduce the effect of other load. */
async function cpuSeconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
