import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { anonymousMemory } from "../src/base/process.ts";
import { type CheckpointFolder, openCheckpointFolder } from "../src/models/checkpoints/checkpoint-folder.ts";
import { languageModelCard } from "../src/models/language/catalogue.ts";
import { collate } from "../src/models/language/collate.ts";
import { toyBytePairs } from "../src/models/language/published-checkpoints/toy-byte-pairs.ts";
import { statesQuery } from "../src/models/queries/embeddings.ts";
import { Programs } from "../src/models/queries/programs.ts";
import { elementCount } from "../src/net/arrays/array.ts";
import { widenToFloat32 } from "../src/net/arrays/float-conversion.ts";
import { writeSafetensors } from "../src/net/arrays/safetensors.ts";
import type { BenchmarkOptions } from "./measure.ts";

/** A forward pass with the weights of a bfloat16 checkpoint in one form. */
interface WeightsSpeed {
  readonly form: string;
  readonly data: string;
  /** From opening the program to the end of the first run of one row. */
  readonly firstSeconds: number;
  /** Median of a run of 1, 4 and 16 rows. */
  readonly seconds1: number;
  readonly seconds4: number;
  readonly seconds16: number;
  /** Times of 1, 4 and 16 rows, divided by those of float32 weights held in memory. */
  readonly ratios: string;
  /** Anonymous memory gained by opening and running. */
  readonly gigabytes: number;
  /** Largest difference of the states from those of float32 weights held in memory, over the largest state. */
  readonly deviation: number;
}

const TOKENS = 61;
const ROWS = [1, 4, 16] as const;
const [WIDTH, INNER, LAYERS] = [Number(process.env.WIDTH ?? 1024), Number(process.env.INNER ?? 2816), 8];

/**
 * A Llama with random weights from a bfloat16 checkpoint and from its float32 copy: held in memory, or loaded
 * from the file for each use, in turns. WIDTH and INNER set its sizes.
 */
export async function benchmark({ rounds, threads }: BenchmarkOptions): Promise<readonly WeightsSpeed[]> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-weights-"));
  const card = languageModelCard("llama");
  const opened = await Promise.all(
    (["bfloat16", "float32"] as const).map(async (dtype) => {
      const at = join(folder, dtype);
      await writeLlama(at, dtype);
      return openCheckpointFolder(at, [card]);
    }),
  );
  const [short, long] = opened;
  const forms = [
    { form: "bfloat16, loaded for each use", from: loadedForEachUse(short) },
    { form: "float32, loaded for each use", from: loadedForEachUse(long) },
    { form: "float32, held", from: long },
    { form: "bfloat16, held as float32", from: short },
  ];
  const inputs = ROWS.map((rows) => {
    const ids = Int32Array.from({ length: TOKENS }, (_, i) => 5 + (i % 4));
    return collate(Array.from({ length: rows }, () => ({ ids })));
  });
  const runs = [];
  for (const { form, from } of forms) {
    const before = await anonymousMemory();
    const began = performance.now();
    const programs = new Programs(from.architecture, from.parameters, from.read, { threads });
    const first = await programs.run(statesQuery, inputs[0]);
    const firstSeconds = (performance.now() - began) / 1000;
    await programs.run(statesQuery, inputs.at(-1)!);
    const gigabytes = ((await anonymousMemory()) - before) / 1e9;
    const states = first.states.data as Float32Array;
    runs.push({ form, programs, firstSeconds, gigabytes, states, times: ROWS.map((): number[] => []) });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { programs, times } of runs) {
      for (const [i, input] of inputs.entries()) {
        const began = performance.now();
        await programs.run(statesQuery, input);
        times[i].push((performance.now() - began) / 1000);
      }
    }
  }
  for (const { programs } of runs) await programs.close();
  for (const { close } of opened) await close();
  await rm(folder, { recursive: true });
  const held = runs[2];
  const values = short.architecture.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return runs.map(({ form, firstSeconds, gigabytes, states, times }) => {
    const [seconds1, seconds4, seconds16] = times.map(median);
    const ratios = times.map((each, i) => (median(each) / median(held.times[i])).toFixed(2));
    return {
      form,
      data: `${Math.round(values / 1e6)} million weights, rows of ${TOKENS} tokens, ${threads} threads`,
      firstSeconds,
      seconds1,
      seconds4,
      seconds16,
      ratios: ratios.join(" "),
      gigabytes,
      deviation: largestDifference(states, held.states),
    };
  });
}

/** The folder as if its weights were too large to be held. */
const loadedForEachUse = (opened: CheckpointFolder): CheckpointFolder => ({
  ...opened,
  parameters: new Map(
    [...opened.parameters].map(([name, stored]) => [name, { ...stored, perUse: stored.shape.length > 1 }]),
  ),
});

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

function largestDifference(values: Float32Array, exact: Float32Array): number {
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return values.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i])), 0) / largest;
}

/** A Llama with norms of 1 and other weights of magnitude 0.008 to 0.016 in a folder. */
async function writeLlama(folder: string, dtype: "bfloat16" | "float32"): Promise<void> {
  const { json, vocabularySize } = toyBytePairs([]);
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: WIDTH,
    intermediate_size: INNER,
    num_hidden_layers: LAYERS,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    vocab_size: vocabularySize,
  };
  const { tensors } = languageModelCard("llama").architecture(config, "config.json");
  const arrays = tensors.map(({ name, shape }, salt) => ({
    name,
    shape,
    dtype,
    data: async () => {
      let state = salt;
      const bits = Uint16Array.from({ length: elementCount(shape) }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return shape.length === 1 ? 0x3f80 : ((state >>> 16) & 0x807f) | 0x3c00;
      });
      return dtype === "bfloat16" ? bits : widenToFloat32("bfloat16", bits);
    },
  }));
  await writeSafetensors(join(folder, "model.safetensors"), arrays);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "tokenizer.json"), json);
}
