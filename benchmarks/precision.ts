import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pcg64 } from "../src/base/pcg64.ts";
import { peakMemory, resetPeakMemory } from "../src/base/process.ts";
import { integerBelow } from "../src/base/random.ts";
import { openCheckpointFolder } from "../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../src/models/checkpoints/init.ts";
import { languageModelCard } from "../src/models/language/catalogue.ts";
import { collate } from "../src/models/language/collate.ts";
import { toyBytePairs } from "../src/models/language/published-checkpoints/toy-byte-pairs.ts";
import { statesQuery } from "../src/models/queries/embeddings.ts";
import { Programs } from "../src/models/queries/programs.ts";
import { parseDevice } from "../src/net/runtime/device.ts";
import { type Precision, REDUCED_PRECISIONS } from "../src/net/runtime/precision.ts";

/** A forward pass to the last hidden states in a reduced precision against float32, on random weights. */
export interface PrecisionSpeed {
  readonly model: string;
  /** The reduced precision, and the device. */
  readonly precision: string;
  readonly data: string;
  readonly float32Milliseconds: number;
  readonly reducedMilliseconds: number;
  /** Time in float32 divided by the time in the reduced precision. */
  readonly speedup: number;
  /** Root mean square of the difference of the hidden states, divided by that of the states. */
  readonly relativeError: number;
  /** Increase of the peak resident memory from opening a session to the end of the first pass. */
  readonly float32Gigabytes: number;
  readonly reducedGigabytes: number;
}

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const THREADS = Number(process.env.THREADS ?? 2);
const PRECISION = REDUCED_PRECISIONS.find((each) => each === process.env.PRECISION) ?? "int8";
const DEVICE = parseDevice(process.env.DEVICE ?? "cpu") ?? "cpu";

/** Tokens of 350 bases, special ones included; byte pairs as for random bases. */
const CONTENDERS = [
  { family: "dnabert2", preset: "117m", tokens: 77, rows: 32 },
  { family: "nucleotide-transformer", preset: "v2-100m-multi-species", tokens: 64, rows: 16 },
  { family: "hyenadna", preset: "large-1m", tokens: 351, rows: 8 },
  { family: "caduceus", preset: "ps-131k", tokens: 351, rows: 8 },
]
  .map((contender) => ({ ...contender, rows: Number(process.env.ROWS ?? contender.rows) }))
  .filter(({ family }) => (process.env.FAMILY ?? family) === family);

/**
 * Both precisions at published sizes with initial weights, in turns. PRECISION is int8 or f16 and DEVICE the
 * device of both. ROUNDS sets the number of rounds, THREADS the threads, ROWS the rows, FAMILY selects one model.
 */
export async function benchmark(): Promise<readonly PrecisionSpeed[]> {
  const speeds: PrecisionSpeed[] = [];
  for (const contender of CONTENDERS) speeds.push(await race(contender));
  return speeds;
}

async function race({ family, preset, tokens, rows }: (typeof CONTENDERS)[number]): Promise<PrecisionSpeed> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-precision-"));
  const card = languageModelCard(family);
  await initCheckpoint(card, { preset, seed: 1, folder });
  // The input is token ids; the tokenizer only has to exist.
  if (card.tokens === "bpe") await writeFile(join(folder, "tokenizer.json"), toyBytePairs([]).json);
  const { architecture, parameters, read, close } = await openCheckpointFolder(folder, [card]);
  const rng = new Pcg64(1);
  const none = new Int32Array(tokens);
  const batch = collate(
    Array.from({ length: rows }, () => ({
      ids: Int32Array.from({ length: tokens }, () => 7 + integerBelow(rng, 4)),
      starts: none,
      ends: none,
    })),
  );
  const opened = async (precision: Precision) => {
    await resetPeakMemory();
    const before = await peakMemory();
    const programs = new Programs(architecture, parameters, read, {
      threads: THREADS,
      device: DEVICE,
      precision,
    });
    const { states } = await programs.run(statesQuery, batch);
    const gigabytes = ((await peakMemory()) - before) / 1e9;
    return { programs, gigabytes, states: states.data as Float32Array };
  };
  const [float32, reduced] = [await opened("f32"), await opened(PRECISION)];
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { programs }] of [float32, reduced].entries()) {
      const start = performance.now();
      await programs.run(statesQuery, batch);
      times[i].push(performance.now() - start);
    }
  }
  for (const { programs } of [float32, reduced]) await programs.close();
  await close();
  await rm(folder, { recursive: true });
  const [float32Milliseconds, reducedMilliseconds] = times.map(median);
  return {
    model: `${family} ${preset}`,
    precision: `${PRECISION}, ${DEVICE}`,
    data: `${rows} × ${tokens} tokens, ${THREADS} threads`,
    float32Milliseconds,
    reducedMilliseconds,
    speedup: float32Milliseconds / reducedMilliseconds,
    relativeError: relativeError(reduced.states, float32.states),
    float32Gigabytes: float32.gigabytes,
    reducedGigabytes: reduced.gigabytes,
  };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

function relativeError(values: Float32Array, exact: Float32Array): number {
  let [error, norm] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error += (values[i] - exact[i]) ** 2;
    norm += exact[i] ** 2;
  }
  return Math.sqrt(error / norm);
}
