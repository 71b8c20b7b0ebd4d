import { randomSequences } from "../src/models/conformance/model-probe.ts";
import { openModel } from "../src/models/open-model.ts";
import type { BenchmarkOptions } from "./measure.ts";

// Overhead of the adapter protocol: npm run bench -- adapter-overhead --python venv/bin/python

const BATCH = 64;
const BASES = 350;

/**
 * Seconds of a batch through the package and the protocol, and of the same batch computed directly in the
 * same Python process, in alternating calls; the ratio of each pair of calls.
 */
export async function benchmark({ python, rounds }: BenchmarkOptions) {
  if (python === undefined) return [];
  process.env.PYTHONPATH = new URL("../python/src", import.meta.url).pathname;
  const rows: object[] = [];
  for (const [layers, width] of [
    [2, 128],
    [4, 256],
  ]) {
    const script = new URL("peers/adapter_overhead.py", import.meta.url).pathname;
    await using model = await openModel(`stdio:"${python}" "${script}" ${layers} ${width} 2`);
    const pairs: { through: number; direct: number }[] = [];
    for (let round = -1; round < rounds; round++) {
      const sequences = randomSequences(BATCH, BASES, round + 100);
      const started = performance.now();
      await model.logLikelihood(sequences);
      const through = (performance.now() - started) / 1000;
      const [direct] = await model.predictActivity(sequences);
      if (round >= 0) pairs.push({ through, direct });
    }
    const median = (values: readonly number[]) =>
      values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
    rows.push({
      parameters: Number(model.name),
      batch: `${BATCH} x ${BASES} bp`,
      throughAdapterSeconds: median(pairs.map(({ through }) => through)),
      directSeconds: median(pairs.map(({ direct }) => direct)),
      ratio: median(pairs.map(({ through, direct }) => through / direct)),
    });
  }
  return rows;
}
