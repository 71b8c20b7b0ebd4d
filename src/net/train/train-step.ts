import { InputError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import type { NdArray } from "../arrays/array.ts";
import { concat, constant, fill, mul, reshape } from "../graph/build.ts";
import { inputValues, largestTensor, peakValues, type RunSizes } from "../graph/peak-values.ts";
import { gradientsOf } from "../graph/reverse.ts";
import type { Sym } from "../graph/sym.ts";
import { asStored, type FlatSource, type ParameterSource, type ProgramOptions } from "../runtime/program.ts";
import {
  freeState,
  openStateProgram,
  type ProgramState,
  type StateProgram,
} from "../runtime/state-program.ts";
import { type AdamOptions, type AdamSettings, adamScalarsAt, adamSettings } from "./adam.ts";
import type { BatchPart } from "./batches.ts";
import { FlatParameters, stateVector, trainedSymbols } from "./flat-parameters.ts";
import { stateInput, updateGraph } from "./update-graph.ts";

/** State of a training run. Written to a file and read back, it resumes bit-identically. */
export interface TrainState {
  /** Optimiser steps taken. */
  readonly step: number;
  /** Batches whose gradients are accumulated for the next step. */
  readonly pending: number;
  /** Arrays by name: `parameter NAME`, `m NAME`, `v NAME`, and `sum NAME` with gradient accumulation. */
  readonly arrays: ReadonlyMap<string, NdArray>;
}

/** Loss, parameters and optimiser of a training step. */
export interface TrainStepRequest {
  /** Scalar (shape []). */
  readonly loss: Sym;
  /** Initial float32 values of each trained parameter, by name. */
  readonly trained: ReadonlyMap<string, NdArray>;
  /** Values of all other parameters of the graph, by name; default: there are none. */
  readonly frozen?: ReadonlyMap<string, ParameterSource>;
  readonly optimizer: AdamOptions;
  /** Batches per optimiser step; the loss of each is divided by this number. */
  readonly accumulate?: number;
  /** Batches come in parts, so that they need not fit into memory: `runParts`. */
  readonly inParts?: boolean;
  /**
   * For trained parameters that a batch may not use (experts), whether it did: scalar bools. A parameter that
   * no batch of a step used is left unchanged, as in PyTorch without a gradient: no decay, no moments, no
   * step counted.
   */
  readonly reached?: ReadonlyMap<string, Sym>;
  readonly program?: ProgramOptions;
}

/**
 * A training step as one program: inputs are batch, parameters and optimiser state; outputs are loss, new
 * parameters and new state. On WebGPU, parameters and state stay on the device from step to step.
 */
export interface TrainStep {
  /**
   * Runs one batch: forward, backward, and an optimiser step when enough batches have been accumulated.
   *
   * @param feeds  every input of the graph, by name
   * @returns      the loss of the batch before the step
   * @throws {InputError} when the loss is not finite; the state is then unchanged
   */
  run(feeds: Readonly<Record<string, NdArray>>): Promise<{ readonly loss: NdArray }>;
  /**
   * Runs one batch in parts, whose losses are summed; more than one part requires `inParts`.
   *
   * @returns  the sum of the losses
   */
  runParts(parts: readonly BatchPart[]): Promise<number>;
  /** Optimiser step for gradients left over at the end of an epoch; without them, does nothing. */
  finishAccumulation(): Promise<void>;
  /** Current values of the trained parameters, by name. */
  parameters(): Promise<ReadonlyMap<string, NdArray>>;
  /** Everything that the next step depends on. */
  state(): Promise<TrainState>;
  /** Continues from a state of a step with the same request. */
  restore(state: TrainState): void;
  /** Frees the sessions. */
  close(): Promise<void>;
}

const scalar = (value: number): NdArray => ({ dtype: "float32", shape: [], data: Float32Array.of(value) });
const truth = (value: boolean): NdArray => ({ dtype: "bool", shape: [], data: Uint8Array.of(Number(value)) });
const falsehood = constant(truth(false));

/**
 * Makes a training step with Adam or AdamW from a loss: its gradients are derived from the graph.
 *
 *     const optimizer = { learningRate: 1e-3 };
 *     const step = await openTrainStep({ loss, trained: new Map([["weight", weight]]), optimizer });
 *     const { loss: value } = await step.run({ x, labels });
 *
 * @throws {InputError} when the loss does not depend on a trained parameter
 */
export async function openTrainStep(request: TrainStepRequest): Promise<TrainStep> {
  const { loss, trained, frozen = new Map(), accumulate = 1, program, reached } = request;
  const settings = adamSettings(request.optimizer);
  const symbols = trainedSymbols(loss, trained.keys());
  const flat = new FlatParameters(symbols, reached, accumulatesGradients(request));
  const parts = gradientsOf(
    loss,
    symbols.map(({ sym }) => sym),
  ).map((gradient, i) => reshape(gradient, [flat.places[i].size]));
  const whole = concat(parts, 0);
  const gradient = accumulate === 1 ? whole : mul(whole, 1 / accumulate);
  const sources = new Map<string, ParameterSource | FlatSource>([
    ...frozen,
    ...flat.places.map(({ name, offset }) => [name, { input: stateInput("parameter"), offset }] as const),
  ]);
  const graph = {
    outputs: { loss },
    updates: updateGraph(flat, gradient, settings),
    inputOf: stateInput,
  };
  const step = await openStateProgram(graph, sources, program);
  return new AdamTrainStep(step, request, settings, flat);
}

/** True when gradients of several runs are accumulated before a step. */
const accumulatesGradients = ({ accumulate = 1, inParts = false, reached }: TrainStepRequest) =>
  accumulate > 1 || inParts || (reached !== undefined && reached.size > 0);

interface Current {
  readonly step: number;
  readonly pending: number;
  readonly state: ProgramState;
}

class AdamTrainStep implements TrainStep {
  private current: Current;
  private leftOver: StateProgram<never> | undefined;
  private readonly accumulate: number;

  constructor(
    private readonly program: StateProgram<"loss">,
    private readonly request: TrainStepRequest,
    private readonly settings: AdamSettings,
    private readonly flat: FlatParameters,
  ) {
    this.accumulate = request.accumulate ?? 1;
    const arrays = new Map<string, NdArray>();
    for (const { name, shape, size } of flat.places) {
      for (const kind of flat.names) {
        arrays.set(`${kind} ${name}`, { dtype: "float32", shape, data: new Float32Array(size) });
      }
    }
    for (const [name, array] of request.trained) arrays.set(`parameter ${name}`, array);
    this.current = { step: 0, pending: 0, state: flat.flatten(arrays, 0) };
  }

  async run(feeds: Readonly<Record<string, NdArray>>): Promise<{ readonly loss: NdArray }> {
    const before = this.current;
    const results = await this.runPart(feeds, true);
    freeState(before.state, this.current.state);
    return results;
  }

  async runParts(parts: readonly BatchPart[]): Promise<number> {
    const before = this.current;
    try {
      let sum = 0;
      for (const [i, part] of parts.entries()) {
        const { state } = this.current;
        const { loss } = await this.runPart(await part(), i === parts.length - 1);
        if (state !== before.state) freeState(state);
        sum += Number(loss.data[0]);
      }
      freeState(before.state, this.current.state);
      return sum;
    } catch (error) {
      freeState(this.current.state, before.state);
      this.current = before;
      throw error;
    }
  }

  /** @param last  true for the last part of its batch */
  private async runPart(feeds: Readonly<Record<string, NdArray>>, last: boolean) {
    const due = last && this.current.pending + 1 === this.accumulate;
    const { results, state } = await this.program.run(
      { ...feeds, ...(await this.scalars(due)) },
      this.current.state,
    );
    const loss = Number(results.loss.data[0]);
    if (!Number.isFinite(loss)) {
      freeState(state);
      throw new InputError(`the loss of this batch is ${loss}`, {
        hint: "lower the learning rate, or check the data for invalid values",
      });
    }
    this.take(state, due, Number(last));
    return results;
  }

  async finishAccumulation(): Promise<void> {
    const { pending, state: before } = this.current;
    if (pending === 0) return;
    this.leftOver ??= await this.openLeftOver();
    const { state } = await this.leftOver.run(await this.scalars(true), before);
    this.take(state, true, 0);
    freeState(before);
  }

  /** The update alone: left-over gradients count as if followed by batches with gradient zero. */
  private openLeftOver(): Promise<StateProgram<never>> {
    const { flat, settings, request } = this;
    const none = fill([flat.length], 0);
    const updates = updateGraph(
      flat,
      none,
      settings,
      flat.conditions.map(() => falsehood),
    );
    return openStateProgram<never>({ outputs: {}, updates, inputOf: stateInput }, new Map(), request.program);
  }

  private async scalars(due: boolean): Promise<Record<string, NdArray>> {
    const { step, state } = this.current;
    if (this.flat.conditions.length === 0) {
      const { stepSize, secondScale } = adamScalarsAt(this.settings, step + 1);
      return { stepSize: scalar(stepSize), secondScale: scalar(secondScale), due: truth(due) };
    }
    // Groups that batches skip have taken fewer steps.
    const counts = await this.program.read(new Map([...state].filter(([kind]) => kind === "steps")));
    const each = Array.from(stateVector(counts, "steps"), (own) => adamScalarsAt(this.settings, own + 1));
    const vector = (of: "stepSize" | "secondScale"): NdArray => ({
      dtype: "float32",
      shape: [each.length],
      data: Float32Array.from(each, (scalars) => scalars[of]),
    });
    return { stepSize: vector("stepSize"), secondScale: vector("secondScale"), due: truth(due) };
  }

  /** @param batches  number of batches completed by this state: 1 or 0 */
  private take(state: ProgramState, due: boolean, batches: number): void {
    const { step, pending } = this.current;
    this.current = due ? { step: step + 1, pending: 0, state } : { step, pending: pending + batches, state };
  }

  async parameters(): Promise<ReadonlyMap<string, NdArray>> {
    const { arrays } = await this.state();
    return new Map(
      [...this.request.trained.keys()].map((name) => [name, valueAt(arrays, `parameter ${name}`)]),
    );
  }

  async state(): Promise<TrainState> {
    const { step, pending, state } = this.current;
    return { step, pending, arrays: this.flat.named(await this.program.read(state)) };
  }

  restore({ step, pending, arrays }: TrainState): void {
    const state = this.flat.flatten(arrays, step);
    freeState(this.current.state);
    this.current = { step, pending, state };
  }

  async close(): Promise<void> {
    freeState(this.current.state);
    await this.program.close();
    await this.leftOver?.close();
  }
}

/**
 * Copies per trained value: parameter, both moments and accumulated gradient as inputs and as outputs, and
 * the gradient itself.
 */
const PER_TRAINED_VALUE = 9;

/** Parameters, gradients, and two intermediate vectors. */
const COPIES_IN_UPDATE = 4;

/** Float32 values in memory during a training step, without the frozen parameters. */
export interface StepValues {
  /** Largest number of values alive at once of those computed from a batch. */
  readonly activations: number;
  /** Number of values of the largest tensor computed from a batch. */
  readonly largest: number;
  /** Inputs: the values of a batch. */
  readonly inputs: number;
  /** Trained parameters, moments and gradients, before and after the step. */
  readonly state: number;
  /** Copies of parameters and gradients in vectors, and intermediate vectors of the optimiser. */
  readonly update: number;
}

/**
 * Values of a training step as a function of the sizes of a batch.
 *
 * @param trained  names of the trained parameters
 * @param frozen   values of all other parameters; without them, the program holds all weights
 * @returns        takes `b`, sequences in a run, and the other symbolic sizes of the graph's inputs
 */
export function stepValues(
  loss: Sym,
  trained: Iterable<string>,
  frozen: ReadonlyMap<string, ParameterSource> = new Map(),
): (sizes: RunSizes) => StepValues {
  const symbols = trainedSymbols(loss, trained);
  const { length: values } = new FlatParameters(symbols);
  const gradients = gradientsOf(
    loss,
    symbols.map(({ sym }) => sym),
  );
  const outputs = [loss, ...gradients];
  const stored = asStored(outputs, frozen);
  return (sizes) => ({
    activations: peakValues(stored, sizes),
    largest: largestTensor(outputs, sizes),
    inputs: inputValues([loss], sizes),
    state: PER_TRAINED_VALUE * values,
    update: COPIES_IN_UPDATE * values,
  });
}
