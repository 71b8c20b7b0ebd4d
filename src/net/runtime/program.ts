import { dirname, relative, sep } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { InternalError } from "../../base/errors.ts";
import type { NdArray } from "../arrays/array.ts";
import { formatShape } from "../arrays/array.ts";
import type { StoredArray } from "../arrays/stored-array.ts";
import { needsCopy } from "../arrays/stored-array.ts";
import { input, neg } from "../graph/build.ts";
import type { Shape } from "../graph/dim.ts";
import { graphOf } from "../graph/graph.ts";
import { GraphError } from "../graph/graph-error.ts";
import type { ParameterBinding } from "../graph/onnx-messages.ts";
import type { Sym } from "../graph/sym.ts";
import type { ConcreteDevice, Device } from "./device.ts";
import { onnxRuntime } from "./onnx-runtime.ts";
import { openSession } from "./session.ts";

/** Values of a parameter: a location in a file that ONNX Runtime maps, an array, or `"fed"` at every run. */
export type ParameterSource = StoredArray | NdArray | "fed";

/** Device and threads of a program. */
export interface ProgramOptions {
  readonly device?: Device;
  /** CPU threads; by default ONNX Runtime uses one per core. */
  readonly threads?: number;
  /** Path prefix of a file that ONNX Runtime writes on `close`: time and execution provider of each op. */
  readonly profile?: string;
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
  run(feeds: Readonly<Record<string, NdArray>>): Promise<Readonly<Record<Output, NdArray>>>;
  /** Frees the session. */
  close(): Promise<void>;
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
  { device = "cpu", threads, profile }: ProgramOptions = {},
): Promise<Program<Output>> {
  const graph = graphOf(outputs);
  const used = graph.parameters.map(({ attributes }) => {
    const source = parameters.get(attributes.name);
    if (source === undefined) throw new GraphError(`parameter ${attributes.name} has no values`);
    if (source !== "fed") checkShape(attributes.name, attributes.shape, source.shape);
    return [attributes.name, source] as const;
  });
  const stored = used.flatMap(([, source]) => (isStored(source) ? [source.file] : []));
  const folder = commonFolder(stored);
  // Loaded here: a command without a graph does without the library that encodes ONNX.
  const { toOnnx } = await import("../graph/onnx.ts");
  const bindings = new Map(used.map(([name, source]) => [name, bindingOf(name, source, folder)]));
  const model = (device: ConcreteDevice) => toOnnx(graph, bindings, device === "cpu" ? "cpu" : "gpu");
  const inputs = new Map<string, Shape>([
    ...graph.inputs.map(({ attributes }) => [attributes.name, attributes.shape] as const),
    ...used
      .filter(([, source]) => source === "fed")
      .map(([name]) => [name, parameterShape(graph, name)] as const),
  ]);
  const opened = await openSession(model, {
    device,
    threads,
    profile,
    folder,
    refusal: (reason, cause) => new InternalError(`ONNX Runtime rejects the program: ${reason}`, cause),
  });
  const names = Object.keys(outputs) as Output[];
  return new SessionProgram(opened.session, opened.device, inputs, names, profile !== undefined);
}

/** The device used for a requested one on this machine: for `auto` the first that runs a program. */
export async function workingDevice(wish: Device): Promise<ConcreteDevice> {
  return wish === "auto" ? deviceOfSmallProgram(wish) : wish;
}

/** @throws {InputError} when the device is not available */
export async function expectDevice(device: ConcreteDevice): Promise<void> {
  if (device !== "cpu") await deviceOfSmallProgram(device);
}

async function deviceOfSmallProgram(device: Device): Promise<ConcreteDevice> {
  const program = await openProgram({ y: neg(input("x", "float32", [1])) }, undefined, { device });
  await program.close();
  return program.device;
}

function parameterShape(graph: ReturnType<typeof graphOf>, name: string): Shape {
  return graph.parameters.find(({ attributes }) => attributes.name === name)!.attributes.shape;
}

class SessionProgram<Output extends string> implements Program<Output> {
  constructor(
    private readonly session: InferenceSession,
    readonly device: ConcreteDevice,
    private readonly inputs: ReadonlyMap<string, Shape>,
    private readonly outputs: readonly Output[],
    private readonly profiled: boolean,
  ) {}

  async run(feeds: Readonly<Record<string, NdArray>>): Promise<Readonly<Record<Output, NdArray>>> {
    const { Tensor } = await onnxRuntime();
    const sizes = new Map<string, number>();
    const tensors: Record<string, Tensor> = {};
    for (const [name, shape] of this.inputs) {
      const array = feeds[name];
      if (array === undefined) throw new GraphError(`the input ${name} is not given`);
      checkFeed(name, shape, array.shape, sizes);
      tensors[name] = new Tensor(array.dtype as "float32", array.data as Float32Array, array.shape);
    }
    const results = await this.session.run(tensors, [...this.outputs]);
    return Object.fromEntries(
      this.outputs.map((name) => {
        const { type, dims, data } = results[name];
        return [name, { dtype: type, shape: dims, data } as NdArray];
      }),
    ) as Record<Output, NdArray>;
  }

  async close(): Promise<void> {
    if (this.profiled) this.session.endProfiling();
    await this.session.release();
  }
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
    throw new GraphError(`the input ${name} is ${formatShape(came)}, expected ${formatShape(shape)}`);
}

function checkShape(name: string, expected: readonly number[], came: readonly number[]): void {
  if (String(expected) === String(came)) return;
  throw new GraphError(`parameter ${name} is ${formatShape(came)}, expected ${formatShape(expected)}`);
}

function isStored(source: ParameterSource): source is StoredArray {
  return source !== "fed" && "file" in source;
}

function bindingOf(name: string, source: ParameterSource, folder: string | undefined): ParameterBinding {
  if (source === "fed") return { kind: "fed" };
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
