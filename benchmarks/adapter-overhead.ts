import { randomSequences } from "../src/models/conformance/model-probe.ts";
import { openModel } from "../src/models/open-model.ts";
import type { BenchmarkOptions } from "./measure.ts";

// Overhead of the adapter protocol: npm run bench -- adapter-overhead --python venv/bin/python --rounds 10

const BATCH = 64;
const BASES = 350;

/** Layers and width of a model, and the request that is timed. */
const CASES = [
  [2, 128, "log-likelihood"],
  [4, 256, "log-likelihood"],
  [4, 256, "embeddings"],
] as const;

/**
 * Seconds of a batch through the package and the protocol, and of the same batch computed directly in the
 * same Python process, in pairs of calls that alternate in order; median and range of the ratios of pairs.
 */
export async function benchmark({ python, rounds }: BenchmarkOptions) {
  if (python === undefined) return [];
  process.env.PYTHONPATH = new URL("../python/src", import.meta.url).pathname;
  const rows: object[] = [];
  for (const [layers, width, query] of CASES) {
    const script = new URL("peers/adapter_overhead.py", import.meta.url).pathname;
    await using model = await openModel(`stdio:"${python}" "${script}" ${layers} ${width} 2 ${query}`);
    const pairs: { through: number; direct: number }[] = [];
    for (let round = -1; round < rounds; round++) {
      const sequences = randomSequences(BATCH, BASES, round + 100);
      const throughAdapter = async () => {
        const started = performance.now();
        await (query === "embeddings" ? model.embed(sequences) : model.logLikelihood(sequences));
        return (performance.now() - started) / 1000;
      };
      const directly = async () => (await model.predictActivity(sequences))[0];
      const isFirst = round % 2 === 0;
      const before = isFirst ? await throughAdapter() : await directly();
      const after = isFirst ? await directly() : await throughAdapter();
      const [through, direct] = isFirst ? [before, after] : [after, before];
      if (round >= 0) pairs.push({ through, direct });
    }
    const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
    const median = (values: readonly number[]) => {
      const from = sorted(values);
      return (from[Math.floor((from.length - 1) / 2)] + from[Math.floor(from.length / 2)]) / 2;
    };
    const ratios = sorted(pairs.map(({ through, direct }) => through / direct));
    rows.push({
      parameters: Number(model.name),
      request: query,
      batch: `${BATCH} x ${BASES} bp`,
      throughAdapterSeconds: median(pairs.map(({ through }) => through)),
      directSeconds: median(pairs.map(({ direct }) => direct)),
      ratio: median(ratios),
      range: `${ratios[0].toFixed(2)} to ${ratios.at(-1)!.toFixed(2)}`,
    });
  }
  return rows;
}
