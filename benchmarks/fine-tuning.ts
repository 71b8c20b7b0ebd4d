import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProgram } from "../src/base/child-program.ts";
import { Pcg64 } from "../src/base/pcg64.ts";
import { peakMemory, resetPeakMemory } from "../src/base/process.ts";
import { integerBelow } from "../src/base/random.ts";
import { openCheckpointFolder } from "../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../src/models/checkpoints/init.ts";
import { languageModelCard } from "../src/models/language/catalogue.ts";
import { toyBytePairs } from "../src/models/language/published-checkpoints/toy-byte-pairs.ts";
import { FineTuning } from "../src/models/training/fine-tuning.ts";
import type { NdArray } from "../src/net/arrays/array.ts";
import { input } from "../src/net/graph/build.ts";
import type { Sym } from "../src/net/graph/sym.ts";
import { crossEntropy } from "../src/net/nn/losses.ts";
import type { ParameterSource } from "../src/net/runtime/program.ts";
import { openTrainStep, type TrainStep } from "../src/net/train/train-step.ts";

/** One training step with LoRA, dropout as in the recipe: forward, backward and AdamW. */
export interface FineTuningTime {
  readonly model: string;
  readonly data: string;
  /** Median over the rounds. */
  readonly milliseconds: number;
  /** Increase of the peak resident memory, weights included. */
  readonly gigabytes: number;
  readonly pytorchMilliseconds?: number;
  readonly pytorchGigabytes?: number;
  /** PyTorch's time divided by ours. */
  readonly speedup?: number;
  /** Largest relative difference of the losses over three steps without dropout. */
  readonly largestDifferenceOfLosses?: number;
}

const ROWS = 8;
const RECIPE = { rank: 8, alpha: 16, dropout: 0.05 };
const STEPS_COMPARED = 3;
const ROUNDS = Number(process.env.ROUNDS ?? 7);

/** Tokens of 350 bases, special ones included; byte pairs as for random bases. */
const CONTENDERS = [
  { family: "dnabert2", preset: "117m", tokens: 77 },
  { family: "hyenadna", preset: "large-1m", tokens: 351 },
].filter(({ family }) => (process.env.FAMILY ?? family) === family);

/**
 * Fine-tuning steps at real sizes. With PYTORCH_PYTHON, a Python with PyTorch, PyTorch runs the same steps
 * interleaved, with as many threads; its losses are compared first. ROUNDS sets the number of rounds, FAMILY
 * selects one model.
 */
export async function benchmark(): Promise<readonly FineTuningTime[]> {
  const times: FineTuningTime[] = [];
  for (const contender of CONTENDERS) times.push(await race(contender));
  return times;
}

async function race({ family, preset, tokens }: (typeof CONTENDERS)[number]): Promise<FineTuningTime> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-fine-tuning-"));
  const card = languageModelCard(family);
  await initCheckpoint(card, { preset, seed: 1, folder });
  // The input is token ids; the tokenizer only has to exist.
  if (card.tokens === "bpe") await writeFile(join(folder, "tokenizer.json"), toyBytePairs([]).json);
  const tuning = new FineTuning(
    await openCheckpointFolder(folder, [card]),
    { labels: 2, recipe: RECIPE, seed: 1 },
    {},
  );
  const adapter = join(folder, "adapter.safetensors");
  await tuning.save(adapter, tuning.initial());
  const ids = rowsOf(card.tokens === "any" ? "bpe" : card.tokens, tokens);
  const labels = Array.from({ length: ROWS }, (_, i) => i % 2);
  const peer = await openPeer({ family, folder, adapter, ids, labels });
  await resetPeakMemory();
  const before = await peakMemory();
  const opened: TrainStep[] = [];
  const open = async ({ logits, frozen }: Awaited<ReturnType<typeof tuning.graph>>) => {
    const step = await openStep(logits, tuning.readBy({ logits }), frozen);
    opened.push(step);
    return step;
  };
  const feeds = {
    ids: ints(ids.flat(), [ROWS, tokens]),
    mask: ones([ROWS, tokens]),
    labels: ints(labels, [ROWS]),
  };
  try {
    const exact = await open(await tuning.graph("evaluation", tokens));
    const losses: number[] = [];
    for (let i = 0; i < STEPS_COMPARED; i++) losses.push(await exact.runParts([async () => feeds]));
    await exact.close();
    opened.pop();
    const theirs = await peer?.ask<{ losses: number[] }>({ losses: STEPS_COMPARED });
    const step = await open(await tuning.graph("training", tokens));
    const once = async (batch: number) => {
      const start = performance.now();
      await step.runParts([async () => ({ ...feeds, ...tuning.dropout({ epoch: 0, batch }, feeds) })]);
      return performance.now() - start;
    };
    await once(-1);
    await peer?.ask({ step: true });
    const [mine, other]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      mine.push(await once(round));
      if (peer !== undefined) {
        other.push((await peer.ask<{ milliseconds: number }>({ step: true })).milliseconds);
      }
    }
    const milliseconds = median(mine);
    return {
      model: `${family}/${preset}`,
      data: `${ROWS} × ${tokens} tokens`,
      milliseconds,
      gigabytes: ((await peakMemory()) - before) / 1e9,
      ...(peer === undefined
        ? {}
        : {
            pytorchMilliseconds: median(other),
            pytorchGigabytes: (await peer.ask<{ bytes: number }>({ peak: true })).bytes / 1e9,
            speedup: median(other) / milliseconds,
            largestDifferenceOfLosses: Math.max(
              ...losses.map((loss, i) => Math.abs(loss - theirs!.losses[i])),
            ),
          }),
    };
  } finally {
    for (const step of opened) await step.close();
    await tuning.close();
    await peer?.stop();
    await rm(folder, { recursive: true });
  }
}

function openStep(
  logits: Sym,
  trained: ReadonlyMap<string, NdArray>,
  frozen: ReadonlyMap<string, ParameterSource>,
) {
  const loss = crossEntropy(logits, input("labels", "int32", ["b"]));
  return openTrainStep({
    ...{ loss, trained, frozen },
    optimizer: { learningRate: 1e-4, weightDecay: 0.01 },
  });
}

function rowsOf(kind: "one-letter" | "k-mer" | "bpe", tokens: number): readonly (readonly number[])[] {
  const rng = new Pcg64(350);
  return Array.from({ length: ROWS }, () =>
    kind === "one-letter"
      ? [...Array.from({ length: tokens - 1 }, () => 7 + integerBelow(rng, 4)), 1]
      : Array.from({ length: tokens }, () => 5 + integerBelow(rng, 4000)),
  );
}

const ints = (values: readonly number[], shape: readonly number[]): NdArray => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const ones = (shape: readonly [number, number]): NdArray => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape[0] * shape[1]).fill(1),
});
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

interface Peer {
  ask<T>(request: object): Promise<T>;
  stop(): Promise<void>;
}

async function openPeer(model: object): Promise<Peer | undefined> {
  const python = process.env.PYTORCH_PYTHON;
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL("peers/fine_tuning.py", import.meta.url));
  const program = startProgram([python, script], { longestLine: 10_000 });
  const line = async () => {
    const said = await program.nextLine();
    if (typeof said === "string") return said;
    throw new Error(`${script} ended: ${JSON.stringify(said)}`);
  };
  await line();
  const ask = async <T>(request: object) => {
    program.writeLine(JSON.stringify(request));
    return JSON.parse(await line()) as T;
  };
  await ask({ open: { ...model, threads: availableParallelism() } });
  return { ask, stop: () => program.stop() };
}
