import { performance } from "node:perf_hooks";
import { InputError } from "../../base/errors.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { peakMemory, watchPeakMemory } from "../../base/peak-memory.ts";
import { choice } from "../../base/sample.ts";
import { seedOf } from "../../base/seed.ts";
import type { ProgramOptions } from "../../net/runtime/program.ts";
import type { Model } from "../model.ts";
import { networkPasses } from "./network-passes.ts";
import type { Pass, Passes } from "./passes.ts";

/** Over repetitions: their mean, and their population standard deviation. */
export interface Spread {
  readonly mean: number;
  readonly std: number;
}

/** What one direction costs. */
export interface PassCost {
  readonly repeats: number;
  /** Seconds of one batch, tokens and dropout masks made anew each time. */
  readonly seconds: Spread;
  /** The same of all threads together. */
  readonly processorSeconds: Spread;
  /** Most bytes that this process held meanwhile, weights and runtime included. */
  readonly memory: Spread;
}

export interface Profile {
  readonly model: string;
  readonly computes: string;
  readonly parameters: number | undefined;
  /** Sequences per batch, after what memory allows. */
  readonly batch: number;
  /** Bases. */
  readonly length: number;
  readonly forward: PassCost;
  readonly backward?: PassCost;
}

export interface ProfileOptions {
  readonly batch: number;
  readonly length: number;
  /** Batches that are timed in each direction, after one that warms up. */
  readonly repeats: number;
  /** Bytes that the model may take; batches are halved until it does. */
  readonly available: number;
  readonly directions: readonly ("forward" | "backward")[];
  readonly program?: ProgramOptions;
  readonly signal?: AbortSignal;
  /** Told what is done next, in words. */
  readonly onProgress?: (what: string) => void;
}

/**
 * What a model costs on this machine, after DART-Eval's profiling: a classifier with one output on top of it, forward as in
 * an evaluation and backward as in a full training; of a model that is only asked, the forward pass of what it is asked first.
 * The sequences are random; time depends on their letters only where tokens are pairs of bytes.
 *
 * @throws {InputError} when not even one sequence fits into memory, or the model answers nothing
 */
export async function profileModel(model: Model, options: ProfileOptions): Promise<Profile> {
  const { length, directions, onProgress = () => {}, available } = options;
  const passes = await passesOf(model, options);
  try {
    const wanted = directions.filter((direction) => direction === "forward" || passes.backward !== undefined);
    const batch = fitting(model, passes, wanted, options.batch, available);
    if (batch < options.batch) onProgress(`${batch} sequences per batch, which is what fits into memory`);
    const cost = async (direction: "forward" | "backward") => {
      onProgress(`timing the ${direction} pass`);
      return timed(direction === "forward" ? passes.forward : passes.backward!, batch, options);
    };
    return {
      model: model.name,
      computes: passes.computes,
      parameters: passes.parameters,
      batch,
      length,
      forward: await cost("forward"),
      ...(wanted.includes("backward") ? { backward: await cost("backward") } : {}),
    };
  } finally {
    await passes.close();
  }
}

async function passesOf(model: Model, { length, program = {} }: ProfileOptions): Promise<Passes> {
  if (model.passes !== undefined) return model.passes(length);
  if (model.network !== undefined) return networkPasses(model.network, length, program);
  const question = ["embed", "logLikelihood", "predictActivity"].find((each) => each in model);
  if (question === undefined) throw new InputError(`the model ${JSON.stringify(model.name)} answers nothing`);
  const ask = question as "embed" | "logLikelihood" | "predictActivity";
  const { memory, tokenCount } = model;
  const tokens = tokenCount?.call(model, "A".repeat(length)) ?? length;
  return {
    parameters: undefined,
    computes: `${ask}, as it is asked`,
    forward: async (sequences) => model[ask]!(sequences, { protocol: "corrected" }),
    ...(memory === undefined ? {} : { memory: (_, batch) => memory.call(model, batch, tokens) }),
    async close() {},
  };
}

function fitting(
  model: Model,
  passes: Passes,
  directions: readonly ("forward" | "backward")[],
  wanted: number,
  available: number,
): number {
  const needs = (batch: number) => Math.max(...directions.map((each) => passes.memory?.(each, batch) ?? 0));
  let batch = wanted;
  while (batch > 1 && needs(batch) > available) batch = Math.floor(batch / 2);
  if (needs(batch) <= available) return batch;
  throw new InputError(
    `${JSON.stringify(model.name)} needs ${(needs(1) / 2 ** 30).toFixed(1)} GiB for one sequence, and ${(available / 2 ** 30).toFixed(1)} GiB are available`,
    { hint: "time the forward pass alone, or shorter sequences" },
  );
}

async function timed(
  pass: Pass,
  batch: number,
  { length, repeats, signal }: ProfileOptions,
): Promise<PassCost> {
  await pass(randomSequences(batch, length, -1));
  const runs: { seconds: number; processor: number; memory: number }[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    signal?.throwIfAborted();
    const sequences = randomSequences(batch, length, repeat);
    await watchPeakMemory();
    const processor = process.cpuUsage();
    const began = performance.now();
    await pass(sequences);
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(processor);
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
  const letter = () => choice(rng, ["A", "C", "G", "T"]);
  return Array.from({ length: count }, () => Array.from({ length }, letter).join(""));
}
