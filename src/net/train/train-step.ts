import { InputError, InternalError } from "../../base/errors.ts";
import { elementCount, type NdArray } from "../arrays/array.ts";
import { add, and, cast, constant, fill, greater, input, mul, not, or, where } from "../graph/build.ts";
import { graphOf } from "../graph/graph.ts";
import { inputValues, largestTensor, peakValues, type RunSizes } from "../graph/peak-values.ts";
import { gradientsOf } from "../graph/reverse.ts";
import type { Sym } from "../graph/sym.ts";
import { openProgram, type ParameterSource, type Program, type ProgramOptions } from "../runtime/program.ts";
import { type AdamOptions, type AdamSettings, adamScalarsAt, adamSettings, adamStep } from "./adam.ts";
import type { BatchPart } from "./batches.ts";

/** State of a training run. Written to a file and read back, it resumes bit-identically. */
export interface TrainState {
  /** Optimiser steps taken. */
  readonly step: number;
  /** Batches whose gradients are accumulated for the next step. */
  readonly pending: number;
  /** Arrays by name: `parameter NAME`, `m NAME`, `v NAME`, and `sum NAME` with gradient accumulation. */
  readonly arrays: ReadonlyMap<string, NdArray>;
}

/** Loss, parameters and optimiser of a training step. `Output` is the union of the names in `outputs`. */
export interface TrainStepRequest<Output extends string = string> {
  /** Scalar (shape []). */
  readonly loss: Sym;
  /** Additional results of every batch, such as logits. */
  readonly outputs?: Readonly<Record<Output, Sym>>;
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
 * parameters and new state.
 */
export interface TrainStep<Output extends string = string> {
  /**
   * Runs one batch: forward, backward, and an optimiser step when enough batches have been accumulated.
   *
   * @param feeds  every input of the graph, by name
   * @returns      the loss of the batch before the step, and the request's `outputs`
   * @throws {InputError} when the loss is not finite; the state is then unchanged
   */
  run(feeds: Readonly<Record<string, NdArray>>): Promise<Readonly<Record<Output | "loss", NdArray>>>;
  /**
   * Runs one batch in parts, whose losses are summed; more than one part requires `inParts`.
   *
   * @returns  the sum of the losses
   */
  runParts(parts: readonly BatchPart[]): Promise<number>;
  /** Optimiser step for gradients left over at the end of an epoch; without them, does nothing. */
  finishAccumulation(): Promise<void>;
  /** Current values of the trained parameters, by name. */
  parameters(): ReadonlyMap<string, NdArray>;
  /** Everything that the next step depends on. */
  state(): TrainState;
  /** Continues from a state of a step with the same request. */
  restore(state: TrainState): void;
  /** Frees the sessions. */
  close(): Promise<void>;
}

const KINDS = ["parameter", "m", "v"] as const;
const scalar = (value: number): NdArray => ({ dtype: "float32", shape: [], data: Float32Array.of(value) });
const truth = (value: boolean): NdArray => ({ dtype: "bool", shape: [], data: Uint8Array.of(Number(value)) });

/**
 * Makes a training step with Adam or AdamW from a loss: its gradients are derived from the graph.
 *
 *     const optimizer = { learningRate: 1e-3 };
 *     const step = await openTrainStep({ loss, trained: new Map([["weight", weight]]), optimizer });
 *     const { loss: value } = await step.run({ x, labels });
 *
 * @throws {InputError} when the loss does not depend on a trained parameter
 */
export async function openTrainStep<Output extends string = never>(
  request: TrainStepRequest<Output>,
): Promise<TrainStep<Output>> {
  const { loss, outputs, trained, frozen = new Map(), accumulate = 1, program, reached } = request;
  const settings = adamSettings(request.optimizer);
  const symbols = trainedSymbols(loss, trained.keys());
  const parts = gradientsOf(
    loss,
    symbols.map(({ sym }) => sym),
  ).map((gradient) => (accumulate === 1 ? gradient : mul(gradient, 1 / accumulate)));
  const updates = updateGraph(symbols, parts, settings, accumulatesGradients(request), reached);
  const sources = new Map<string, ParameterSource>([
    ...frozen,
    ...symbols.map(({ name }) => [name, "fed"] as const),
  ]);
  const all = { ...outputs, loss, ...updates } as Record<Output | "loss", Sym>;
  const step = await openProgram(all, sources, program);
  return new AdamTrainStep(step, request, settings, accumulate, symbols);
}

/** True when gradients of several runs are accumulated before a step. */
const accumulatesGradients = ({ accumulate = 1, inParts = false, reached }: TrainStepRequest) =>
  accumulate > 1 || inParts || (reached !== undefined && reached.size > 0);

export interface TrainedSymbol {
  readonly name: string;
  readonly sym: Sym;
}

/** The trained parameters of a loss. @throws {InputError} when one is not in the graph */
export function trainedSymbols(loss: Sym, trained: Iterable<string>): readonly TrainedSymbol[] {
  const byName = new Map(
    graphOf({ loss }).nodes.flatMap((node) =>
      node.op === "Parameter" ? [[(node.attributes as { name: string }).name, node] as const] : [],
    ),
  );
  return [...trained].map((name) => {
    const node = byName.get(name);
    if (node === undefined) throw new InputError(`the loss does not depend on the trained parameter ${name}`);
    return { name, sym: { node, output: 0, ...node.outputs[0] } };
  });
}

/** New values by the names of `TrainState`; with accumulation, the old ones while no step is due. */
function updateGraph(
  symbols: readonly TrainedSymbol[],
  parts: readonly Sym[],
  settings: AdamSettings,
  accumulating: boolean,
  reached: ReadonlyMap<string, Sym> = new Map(),
): Readonly<Record<string, Sym>> {
  const scalarInput = (name: string) => input(name, "float32", []);
  const due = input("due", "bool", []);
  const updates: Record<string, Sym> = {};
  symbols.forEach(({ name, sym }, i) => {
    const given = (kind: string) => input(`${kind} ${name}`, "float32", sym.shape);
    const old = { parameter: sym, m: given("m"), v: given("v") };
    const gradient = accumulating ? add(given("sum"), parts[i]) : parts[i];
    const whether = reached.get(name);
    const of = whether === undefined ? "" : ` ${name}`;
    const next = adamStep(old, gradient, settings, {
      stepSize: scalarInput(`stepSize${of}`),
      secondScale: scalarInput(`secondScale${of}`),
    });
    let stepping = due;
    if (whether !== undefined) {
      const ever = or(greater(scalarInput(`reached ${name}`), 0), whether);
      const steps = scalarInput(`steps ${name}`);
      stepping = and(due, ever);
      updates[`new reached ${name}`] = cast(and(ever, not(due)), "float32");
      updates[`new steps ${name}`] = where(stepping, add(steps, 1), steps);
    }
    for (const kind of KINDS)
      updates[`new ${kind} ${name}`] = accumulating ? where(stepping, next[kind], old[kind]) : next[kind];
    if (accumulating) updates[`new sum ${name}`] = where(due, fill(sym.shape, 0), gradient);
  });
  return updates;
}

class AdamTrainStep<Output extends string> implements TrainStep<Output> {
  private current: { step: number; pending: number; arrays: Map<string, NdArray> };
  private leftOver: Program | undefined;

  constructor(
    private readonly program: Program<Output | "loss">,
    private readonly request: TrainStepRequest<Output>,
    private readonly settings: AdamSettings,
    private readonly accumulate: number,
    private readonly symbols: readonly TrainedSymbol[],
  ) {
    const arrays = new Map<string, NdArray>();
    for (const [name, array] of request.trained) {
      const zeros = (): NdArray => ({ ...array, data: new Float32Array(array.data.length) });
      arrays.set(`parameter ${name}`, array);
      arrays.set(`m ${name}`, zeros());
      arrays.set(`v ${name}`, zeros());
      if (accumulatesGradients(request)) arrays.set(`sum ${name}`, zeros());
      if (request.reached?.has(name) !== true) continue;
      arrays.set(`reached ${name}`, scalar(0));
      arrays.set(`steps ${name}`, scalar(0));
    }
    this.current = { step: 0, pending: 0, arrays };
  }

  async run(feeds: Readonly<Record<string, NdArray>>): Promise<Readonly<Record<Output | "loss", NdArray>>> {
    return this.runPart(feeds, true);
  }

  async runParts(parts: readonly BatchPart[]): Promise<number> {
    const before = this.current;
    try {
      let sum = 0;
      for (const [i, part] of parts.entries()) {
        const { loss } = await this.runPart(await part(), i === parts.length - 1);
        sum += Number(loss!.data[0]);
      }
      return sum;
    } catch (error) {
      this.current = before;
      throw error;
    }
  }

  /** @param last  true for the last part of its batch */
  private async runPart(feeds: Readonly<Record<string, NdArray>>, last: boolean) {
    const due = last && this.current.pending + 1 === this.accumulate;
    const results = await this.program.run({ ...feeds, ...this.stateFeeds(due) });
    const loss = Number(results.loss!.data[0]);
    if (!Number.isFinite(loss)) {
      throw new InputError(`the loss of this batch is ${loss}`, {
        hint: "lower the learning rate, or check the data for invalid values",
      });
    }
    this.take(results, due, Number(last));
    return results;
  }

  async finishAccumulation(): Promise<void> {
    if (this.current.pending === 0) return;
    this.leftOver ??= await this.openLeftOver();
    this.take(await this.leftOver.run(this.stateFeeds(true)), true, 0);
  }

  /** The update alone: left-over gradients count as if followed by batches with gradient zero. */
  private openLeftOver(): Promise<Program> {
    const zeros = this.symbols.map(({ sym }) => fill(sym.shape, 0));
    const passedBy = new Map(
      [...(this.request.reached ?? [])].map(([name]) => [name, constant(truth(false))] as const),
    );
    const updates = updateGraph(this.symbols, zeros, this.settings, true, passedBy);
    const fed = new Map(this.symbols.map(({ name }) => [name, "fed" as const]));
    return openProgram(updates, fed, this.request.program);
  }

  private stateFeeds(due: boolean): Record<string, NdArray> {
    const { stepSize, secondScale } = adamScalarsAt(this.settings, this.current.step + 1);
    const feeds: Record<string, NdArray> = {
      stepSize: scalar(stepSize),
      secondScale: scalar(secondScale),
      due: truth(due),
    };
    for (const [name, array] of this.current.arrays) feeds[name.replace(/^parameter /, "")] = array;
    for (const name of this.request.reached?.keys() ?? []) {
      const own = Number(this.current.arrays.get(`steps ${name}`)?.data[0] ?? 0);
      const scalars = adamScalarsAt(this.settings, own + 1);
      feeds[`stepSize ${name}`] = scalar(scalars.stepSize);
      feeds[`secondScale ${name}`] = scalar(scalars.secondScale);
    }
    return feeds;
  }

  /** @param batches  number of batches completed by these results: 1 or 0 */
  private take(results: Readonly<Record<string, NdArray>>, due: boolean, batches: number): void {
    const { step, pending, arrays } = this.current;
    const next = new Map([...arrays.keys()].map((name) => [name, results[`new ${name}`]] as const));
    this.current = due
      ? { step: step + 1, pending: 0, arrays: next }
      : { step, pending: pending + batches, arrays: next };
  }

  parameters(): ReadonlyMap<string, NdArray> {
    const { arrays } = this.current;
    return new Map([...this.request.trained.keys()].map((name) => [name, arrays.get(`parameter ${name}`)!]));
  }

  state(): TrainState {
    return { ...this.current, arrays: new Map(this.current.arrays) };
  }

  restore({ step, pending, arrays }: TrainState): void {
    for (const name of this.current.arrays.keys()) {
      if (!arrays.has(name)) throw new InternalError(`the training state lacks ${name}`);
    }
    this.current = { step, pending, arrays: new Map(arrays) };
  }

  async close(): Promise<void> {
    await this.program.close();
    await this.leftOver?.close();
  }
}

/**
 * Copies per trained value: parameter, both moments and accumulated gradient as inputs and as outputs, and
 * the gradient itself.
 */
const PER_TRAINED_VALUE = 9;

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
}

/**
 * Values of a training step as a function of the sizes of a batch.
 *
 * @param trained  names of the trained parameters
 * @returns        takes `b`, sequences in a run, and the other symbolic sizes of the graph's inputs
 */
export function stepValues(loss: Sym, trained: Iterable<string>): (sizes: RunSizes) => StepValues {
  const symbols = trainedSymbols(loss, trained).map(({ sym }) => sym);
  const values = symbols.reduce((sum, { shape }) => sum + elementCount(shape as readonly number[]), 0);
  const outputs = [loss, ...gradientsOf(loss, symbols)];
  return (sizes) => ({
    activations: peakValues(outputs, sizes),
    largest: largestTensor(outputs, sizes),
    inputs: inputValues([loss], sizes),
    state: PER_TRAINED_VALUE * values,
  });
}
