import { dirname, relative, sep } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { InternalError } from "../../base/errors.ts";
import { keysOf, recordOf } from "../../base/record.ts";
import { formatShape, isFloat, type NdArray } from "../arrays/array.ts";
import type { StoredArray } from "../arrays/stored-array.ts";
import { needsCopy } from "../arrays/stored-array.ts";
import { input, neg } from "../graph/build.ts";
import type { Shape } from "../graph/dim.ts";
import { graphOf } from "../graph/graph.ts";
import { GraphError } from "../graph/graph-error.ts";
import { type FileParameter, withFileTypes } from "../graph/load-parameters.ts";
import type { ParameterBinding } from "../graph/onnx-messages.ts";
import type { Sym } from "../graph/sym.ts";
import type { ConcreteDevice, Device } from "./device.ts";
import { ndArrayOf, onnxRuntime, tensorOf } from "./onnx-runtime.ts";
import { openSession } from "./session.ts";

/** A parameter in a file, which ONNX Runtime maps. */
export interface StoredParameter extends StoredArray {
  /**
   * On a CPU, the parameter is loaded from the mapped file for each use, instead of held in memory as float32
   * for as long as the program is open.
   */
  readonly perUse?: boolean;
}

/** Values of a parameter: a location in a file, an array, or `"fed"` at every run. */
export type ParameterSource = StoredParameter | NdArray | "fed";

/** Device and threads of a program. */
export interface ProgramOptions {
  readonly device?: Device;
  /** CPU threads; by default ONNX Runtime uses one per core. */
  readonly threads?: number;
  /** Path prefix of a file that ONNX Runtime writes on `close`: time and execution provider of each op. */
  readonly profile?: string;
  /** ONNX Runtime does not print the errors that are thrown. */
  readonly silent?: boolean;
}

/** A graph ready to run on one device. `Output` is the union of its outputs' names. */
export interface Program<Output extends string = string> {
  readonly device: ConcreteDevice;
  /**
   * Runs once.
   *
   * @param feeds  every input of the graph, by name
   * @returns      every output of the program, by name
   * @throws {GraphError} when an input is missing or its shape does not fit
   */
  run(feeds: Readonly<Record<string, NdArray | DeviceArray>>): Promise<Readonly<Record<Output, NdArray>>>;
  /** Frees the session. */
  close(): Promise<void>;
}

/** A parameter in a vector that is an input of the graph: consecutive values, from `offset` on. */
export interface FlatSource {
  readonly input: string;
  readonly offset: number;
}

/**
 * Compiles the graph behind some outputs. Parameters in files are never read through JavaScript: the model
 * refers to file, offset and length, and ONNX Runtime maps them.
 *
 * @throws {InputError} when the device is not available or rejects the program
 * @throws {GraphError} when a parameter has no source or its shape differs from the graph's
 */
export async function openProgram<Output extends string>(
  outputs: Readonly<Record<Output, Sym>>,
  parameters: ReadonlyMap<string, ParameterSource> = new Map(),
  options: ProgramOptions = {},
): Promise<Program<Output>> {
  const { device, session, inputs, close } = await openGraph(outputs, parameters, options);
  const names = keysOf(outputs);
  return {
    device,
    async run(feeds) {
      const results = await session.run(await feedTensors(inputs, feeds), names);
      return recordOf(names, (name) => ndArrayOf(results[name]));
    },
    close,
  };
}

/** A compiled graph. */
export interface OpenedGraph {
  readonly session: InferenceSession;
  readonly device: ConcreteDevice;
  /** Shapes of all inputs. */
  readonly inputs: ReadonlyMap<string, Shape>;
  close(): Promise<void>;
}

/**
 * Compiles a graph, as `openProgram`.
 *
 * @param onDevice  outputs that stay on the device, where it can keep them
 */
export async function openGraph(
  outputs: Readonly<Record<string, Sym>>,
  parameters: ReadonlyMap<string, ParameterSource | FlatSource>,
  { device = "cpu", threads, profile, silent }: ProgramOptions,
  onDevice: readonly string[] = [],
): Promise<OpenedGraph> {
  const graph = graphOf(outputs);
  const used = graph.parameters.map(({ attributes: { name, shape } }) => {
    const source = parameters.get(name);
    if (source === undefined) throw new GraphError(`parameter ${name} has no values`);
    if (hasShape(source)) checkShape(name, shape, source.shape);
    return { name, shape, source };
  });
  const stored = used.flatMap(({ source }) => (isStored(source) ? [source.file] : []));
  const folder = commonFolder(stored);
  // Loaded here: a command without a graph does without the library that encodes ONNX.
  const { toOnnx } = await import("../graph/onnx.ts");
  const bindings = new Map(used.map(({ name, source }) => [name, bindingOf(name, source, folder)]));
  const model = (device: ConcreteDevice) => {
    const stored = asStored(Object.values(outputs), parameters, device);
    const named = Object.fromEntries(Object.keys(outputs).map((name, i) => [name, stored[i]]));
    return toOnnx(graphOf(named), bindings, device === "cpu" ? "cpu" : "gpu");
  };
  const inputs = new Map<string, Shape>([
    ...graph.inputs.map(({ attributes }) => [attributes.name, attributes.shape] as const),
    ...used.filter(({ source }) => source === "fed").map(({ name, shape }) => [name, shape] as const),
  ]);
  const { session, device: opened } = await openSession(model, {
    device,
    threads,
    profile,
    silent,
    ...(onDevice.length === 0 ? {} : { outputs: { all: Object.keys(outputs), onDevice } }),
    folder,
    refusal: (reason, cause) => new InternalError(`ONNX Runtime rejects the program: ${reason}`, cause),
  });
  return {
    session,
    device: opened,
    inputs,
    async close() {
      if (profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

/**
 * Outputs of a graph as a program computes them on a device: with its parameters in the types of their files.
 *
 * @param device  default: "cpu"
 */
export function asStored(
  outputs: readonly Sym[],
  parameters: ReadonlyMap<string, ParameterSource | FlatSource> = new Map(),
  device: ConcreteDevice = "cpu",
): readonly Sym[] {
  const files = new Map<string, FileParameter>();
  for (const [name, source] of parameters) {
    if (!isStored(source) || !isFloat(source.dtype)) continue;
    const perUse = source.perUse === true && device === "cpu";
    if (perUse || source.dtype !== "float32") files.set(name, { dtype: source.dtype, perUse });
  }
  return files.size === 0 ? outputs : withFileTypes(outputs, files);
}

/** An array in the memory of a device. Programs of that device take it as an input. */
export class DeviceArray {
  constructor(readonly tensor: Tensor) {}

  get shape(): readonly number[] {
    return this.tensor.dims;
  }

  free(): void {
    this.tensor.dispose();
  }
}

/** Inputs of a session. @throws {GraphError} when one is missing or its shape does not fit */
export async function feedTensors(
  inputs: ReadonlyMap<string, Shape>,
  feeds: Readonly<Record<string, NdArray | DeviceArray>>,
): Promise<Record<string, Tensor>> {
  const ort = await onnxRuntime();
  const sizes = new Map<string, number>();
  const tensors: Record<string, Tensor> = {};
  for (const [name, shape] of inputs) {
    const array = feeds[name];
    if (array === undefined) throw new GraphError(`the input ${name} is not given`);
    checkFeed(name, shape, array.shape, sizes);
    tensors[name] = array instanceof DeviceArray ? array.tensor : tensorOf(ort, array);
  }
  return tensors;
}

/** The device used for a requested one on this machine: for `auto` the first that runs a program. */
export async function workingDevice(wish: Device): Promise<ConcreteDevice> {
  return wish === "auto" ? deviceOfSmallProgram(wish) : wish;
}

/** @throws {InputError} when the device is not available */
export async function checkDevice(device: ConcreteDevice): Promise<void> {
  if (device !== "cpu") await deviceOfSmallProgram(device);
}

async function deviceOfSmallProgram(device: Device): Promise<ConcreteDevice> {
  const program = await openProgram({ y: neg(input("x", "float32", [1])) }, undefined, { device });
  await program.close();
  return program.device;
}

/** Each symbolic size is bound by the first input that has it and must be the same in all others. */
function checkFeed(name: string, shape: Shape, came: readonly number[], sizes: Map<string, number>): void {
  const fits =
    came.length === shape.length &&
    shape.every((dim, i) => {
      if (typeof dim === "number") return dim === came[i];
      const bound = sizes.get(dim);
      if (bound === undefined) sizes.set(dim, came[i]);
      return bound === undefined || bound === came[i];
    });
  if (!fits)
    throw new GraphError(`the input ${name} is ${formatShape(came)}; expected ${formatShape(shape)}`);
}

function checkShape(name: string, expected: readonly number[], came: readonly number[]): void {
  if (String(expected) === String(came)) return;
  throw new GraphError(`parameter ${name} is ${formatShape(came)}; expected ${formatShape(expected)}`);
}

type AnySource = ParameterSource | FlatSource;

const hasShape = (source: AnySource): source is StoredArray | NdArray =>
  source !== "fed" && !("input" in source);

const isStored = (source: AnySource): source is StoredParameter => source !== "fed" && "file" in source;

function bindingOf(name: string, source: AnySource, folder: string | undefined): ParameterBinding {
  if (source === "fed") return { kind: "fed" };
  if ("input" in source) return { kind: "flat", ...source };
  if (!isStored(source)) return { kind: "inline", array: source };
  const obstacle = needsCopy(source);
  if (obstacle !== undefined)
    throw new InternalError(`parameter ${name} cannot be used in place: ${obstacle}`);
  const location = relative(folder!, source.file).split(sep).join("/");
  return { kind: "external", location, offset: source.offset, length: source.length };
}

/** Deepest common folder of the files: ONNX Runtime rejects weights outside the folder it is given. */
function commonFolder(files: readonly string[]): string | undefined {
  return files
    .map((file) => dirname(file))
    .reduce<string | undefined>((common, folder) => {
      if (common === undefined) return folder;
      let shared = common;
      while (relative(shared, folder).startsWith("..")) shared = dirname(shared);
      return shared;
    }, undefined);
}
