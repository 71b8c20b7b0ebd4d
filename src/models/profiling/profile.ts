import { performance } from "node:perf_hooks";
import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { peakMemory, resetPeakMemory } from "../../base/process.ts";
import { choice, seedOf } from "../../base/random.ts";
import type { ProgramOptions } from "../../net/runtime/program.ts";
import { type Model, type ProfiledPass, type ProfiledPasses, supports } from "../model.ts";
import { networkPasses } from "./graph-passes.ts";

/** Mean and population standard deviation over repetitions. */
export interface Spread {
  readonly mean: number;
  readonly std: number;
}

/** Cost of one direction. */
export interface PassCost {
  /** Recorded batches. */
  readonly repeats: number;
  /** Wall-clock seconds of one batch, including tokenisation and dropout masks, without an optimiser step. */
  readonly seconds: Spread;
  /** CPU seconds of one batch, over all threads. */
  readonly processorSeconds: Spread;
  /**
   * Peak resident set size of the process during one batch, bytes, including weights and runtime, without GPU
   * memory.
   */
  readonly memory: Spread;
}

export interface Profile {
  readonly model: string;
  readonly computes: string;
  readonly parameters: number | undefined;
  /** Sequences per batch, reduced to fit into memory. */
  readonly batch: number;
  /** Bases. */
  readonly length: number;
  /** Warm-up batches of each direction, not recorded. */
  readonly warmup: number;
  readonly forward: PassCost;
  readonly backward?: PassCost;
}

export interface ProfileOptions {
  readonly batch: number;
  readonly length: number;
  /** Warm-up batches of each direction, not recorded; default 1. DART-Eval: 100. */
  readonly warmup?: number;
  /**
   * Recorded batches in each direction; by default all that `sequences` provide, or 3 of random sequences.
   */
  readonly repeats?: number;
  /**
   * Sequences of `length` bases, in order; an incomplete last batch is not run. Random sequences by default.
   */
  readonly sequences?: readonly string[];
  /** Bytes available to the model; batches are halved until they fit. */
  readonly available: number;
  readonly directions: readonly ("forward" | "backward")[];
  readonly program?: ProgramOptions;
  readonly signal?: AbortSignal;
  /** Called with a description of each stage. */
  readonly onProgress?: (what: string) => void;
}

/**
 * Measures the cost of a model on this machine, as in DART-Eval's profiling: a classifier with one output on
 * top of the model, forward as in evaluation and backward as in full training. For a model without a
 * classifier, the forward pass of embeddings, likelihoods or activity, whichever it has first.
 *
 * DART-Eval measures the backward pass first, and the peak GPU memory allocated by PyTorch. Here the forward
 * pass comes first, because the runtime does not release the memory of the backward pass, and memory is the
 * resident set size of the process.
 *
 * @throws {InputError} when one sequence does not fit into memory, there are too few sequences, or the model
 *   has no method to profile
 */
export async function profileModel(model: Model, options: ProfileOptions): Promise<Profile> {
  const { length, directions, onProgress = () => {}, available, warmup = 1 } = options;
  const passes = await passesOf(model, options);
  try {
    const wanted = directions.filter((direction) => direction === "forward" || passes.backward !== undefined);
    const batch = fitting(model, passes, wanted, options.batch, available);
    if (batch < options.batch) onProgress(`${batch} sequences per batch, reduced to fit into memory`);
    const repeats = repeatsOf(options, batch, warmup);
    const cost = async (direction: "forward" | "backward") => {
      onProgress(`timing the ${direction} pass`);
      const pass = direction === "forward" ? passes.forward : passes.backward!;
      return timed(pass, { batch, warmup, repeats }, options);
    };
    return {
      model: model.name,
      computes: passes.computes,
      parameters: passes.parameters,
      batch,
      length,
      warmup,
      forward: await cost("forward"),
      ...(wanted.includes("backward") ? { backward: await cost("backward") } : {}),
    };
  } finally {
    await passes.close();
  }
}

async function passesOf(model: Model, { length, program = {} }: ProfileOptions): Promise<ProfiledPasses> {
  if (model.passes !== undefined) return model.passes(length);
  if (model.network !== undefined) return networkPasses(model.network, length, program);
  const name = (["embed", "logLikelihood", "predictActivity"] as const).find((query) =>
    supports(model, query),
  );
  if (name === undefined)
    throw new InputError(`the model ${JSON.stringify(model.name)} has no outputs to profile`);
  const { memory, tokenCount } = model;
  const tokens = tokenCount?.call(model, "A".repeat(length)) ?? length;
  return {
    parameters: undefined,
    computes: name,
    forward: async (sequences) => model[name]?.(sequences, { protocol: "corrected" }),
    ...(memory === undefined ? {} : { memory: (_, batch) => memory.call(model, batch, tokens) }),
    async close() {},
  };
}

function fitting(
  model: Model,
  passes: ProfiledPasses,
  directions: readonly ("forward" | "backward")[],
  wanted: number,
  available: number,
): number {
  const needs = (batch: number) => Math.max(...directions.map((each) => passes.memory?.(each, batch) ?? 0));
  let batch = wanted;
  while (batch > 1 && needs(batch) > available) batch = Math.floor(batch / 2);
  if (needs(batch) <= available) return batch;
  throw new InputError(
    `${JSON.stringify(model.name)} needs ${(needs(1) / 2 ** 30).toFixed(1)} GiB for one sequence, but ${(available / 2 ** 30).toFixed(1)} GiB are available`,
    { hint: "profile the forward pass alone, or shorter sequences" },
  );
}

/** Default number of recorded batches of random sequences. */
const FEW = 3;

function repeatsOf({ repeats, sequences }: ProfileOptions, batch: number, warmup: number): number {
  if (sequences === undefined) return repeats ?? FEW;
  const most = Math.floor(sequences.length / batch) - warmup;
  if (most < (repeats ?? 1)) {
    throw new InputError(
      `${counted(sequences.length, "sequence")} make ${counted(Math.floor(sequences.length / batch), "batch", "batches")} of ${batch}, and ${warmup + (repeats ?? 1)} are needed: ${warmup} to warm up and ${repeats ?? 1} to record`,
      { hint: "use smaller or fewer batches" },
    );
  }
  return repeats ?? most;
}

interface Batches {
  readonly batch: number;
  readonly warmup: number;
  readonly repeats: number;
}

async function timed(
  pass: ProfiledPass,
  { batch, warmup, repeats }: Batches,
  { length, sequences: given, signal }: ProfileOptions,
): Promise<PassCost> {
  const runs: { seconds: number; processor: number; memory: number }[] = [];
  for (let i = 0; i < warmup + repeats; i++) {
    signal?.throwIfAborted();
    const sequences = given?.slice(i * batch, (i + 1) * batch) ?? randomSequences(batch, length, i - warmup);
    await resetPeakMemory();
    const processor = process.cpuUsage();
    const began = performance.now();
    await pass(sequences);
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(processor);
    if (i < warmup) continue;
    runs.push({ seconds, processor: (user + system) / 1e6, memory: await peakMemory() });
  }
  return {
    repeats,
    seconds: spread(runs.map(({ seconds }) => seconds)),
    processorSeconds: spread(runs.map(({ processor }) => processor)),
    memory: spread(runs.map(({ memory }) => memory)),
  };
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / values.length) };
}

function randomSequences(count: number, length: number, repeat: number): readonly string[] {
  const rng = new Pcg64(seedOf(["profile", repeat]));
  const base = () => choice(rng, ["A", "C", "G", "T"]);
  return Array.from({ length: count }, () => Array.from({ length }, base).join(""));
}
