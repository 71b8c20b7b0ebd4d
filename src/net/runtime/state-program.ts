import { keysOf, recordOf } from "../../base/record.ts";
import type { NdArray } from "../arrays/array.ts";
import { input } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import type { ConcreteDevice } from "./device.ts";
import { ndArrayOf } from "./onnx-runtime.ts";
import {
  DeviceArray,
  type FlatSource,
  feedTensors,
  openGraph,
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
} from "./program.ts";

/** Arrays by name that a program keeps from run to run. They must not be changed. */
export type ProgramState = ReadonlyMap<string, NdArray | DeviceArray>;

/** A program whose runs make a new state from an old one. On WebGPU the state stays on the device. */
export interface StateProgram<Output extends string = string> {
  readonly device: ConcreteDevice;
  /**
   * Runs once.
   *
   * @param feeds  every input of the graph besides the state, by name
   * @returns      the results, and the new state; the old one remains valid until it is freed
   * @throws {GraphError} when an input is missing or its shape does not fit
   */
  run(
    feeds: Readonly<Record<string, NdArray>>,
    state: ProgramState,
  ): Promise<{ readonly results: Readonly<Record<Output, NdArray>>; readonly state: ProgramState }>;
  /** Copies a state from the device. */
  read(state: ProgramState): Promise<ReadonlyMap<string, NdArray>>;
  close(): Promise<void>;
}

/** Frees the arrays of a state on a device, except those of another state. */
export function freeState(state: ProgramState, except: ProgramState = new Map()): void {
  const kept = new Set(except.values());
  for (const array of state.values()) if (array instanceof DeviceArray && !kept.has(array)) array.free();
}

/**
 * Compiles a graph with a state.
 *
 * @param outputs  results of a run
 * @param updates  new float32 vectors of the state, by name
 * @param inputOf  input of the graph for a vector of the state
 * @throws as `openProgram`
 */
export async function openStateProgram<Output extends string>(
  { outputs, updates, inputOf }: StateGraph<Output>,
  parameters: ReadonlyMap<string, ParameterSource | FlatSource>,
  options: ProgramOptions = {},
): Promise<StateProgram<Output>> {
  const names = Object.keys(updates);
  const updated = Object.fromEntries(names.map((name) => [outputOf(name), updates[name]]));
  const all = { ...outputs, ...updated };
  const { session, device, inputs, close } = await openGraph(all, parameters, options, Object.keys(updated));
  const results = keysOf(outputs);
  let reader: Promise<Program> | undefined;
  const read = async (array: DeviceArray): Promise<NdArray> => {
    // `Tensor.getData` of an array on a GPU ends the process.
    reader ??= openProgram({ copy: input("array", "float32", ["n"]) }, new Map(), { ...options, device });
    return (await (await reader).run({ array })).copy;
  };
  return {
    device,
    async run(feeds, state) {
      const held = Object.fromEntries([...state].map(([name, array]) => [inputOf(name), array]));
      const made = await session.run(await feedTensors(inputs, { ...feeds, ...held }), Object.keys(all));
      return {
        results: recordOf(results, (name) => ndArrayOf(made[name])),
        state: new Map(
          names.map((name) => {
            const tensor = made[outputOf(name)];
            return [name, tensor.location === "gpu-buffer" ? new DeviceArray(tensor) : ndArrayOf(tensor)];
          }),
        ),
      };
    },
    async read(state) {
      const arrays = new Map<string, NdArray>();
      for (const [name, array] of state) {
        arrays.set(name, array instanceof DeviceArray ? await read(array) : array);
      }
      return arrays;
    },
    async close() {
      await close();
      await (await reader)?.close();
    },
  };
}

export interface StateGraph<Output extends string> {
  readonly outputs: Readonly<Record<Output, Sym>>;
  readonly updates: Readonly<Record<string, Sym>>;
  inputOf(name: string): string;
}

const outputOf = (name: string) => `new ${name}`;
