import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { gradientsOf } from "../../src/net/graph/reverse.ts";
import type { TrainingDevice } from "../../src/net/runtime/device.ts";
import { openProgram } from "../../src/net/runtime/program.ts";
import { trainedSymbols } from "../../src/net/train/flat-parameters.ts";
import { RECIPES, type TinyRecipe } from "./recipes.ts";

/** Deviations of a device from the CPU for one recipe. */
export interface DeviceRow {
  readonly recipe: string;
  /** Error of the device, if it does not run the graph; the other fields are then absent. */
  readonly error?: string;
  /** Largest deviation of a gradient, relative to the largest gradient of its parameter. */
  readonly gradient?: number;
  /** The parameter of that deviation. */
  readonly parameter?: string;
  /** Relative deviation of the loss. */
  readonly loss?: number;
  /** Number of ops of one forward and backward pass on the device. */
  readonly onDevice?: number;
  /** Ops of the pass that ran on the CPU, and copies between both, by type. */
  readonly onCpu?: Readonly<Record<string, number>>;
}

/** A parameter whose gradients are all below this share of the largest one is compared on that scale. */
const SMALL = 1e-3;

/** Compares gradients of all recipes, or of those whose name contains `only`, one after another. */
export async function* compareDevices(device: TrainingDevice, only = ""): AsyncGenerator<DeviceRow> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-devices-"));
  try {
    for (const recipe of RECIPES.filter(({ name }) => name.includes(only))) {
      yield await compare(recipe, device, folder);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compare(recipe: TinyRecipe, device: TrainingDevice, folder: string): Promise<DeviceRow> {
  const expected = await gradients(recipe, "cpu", folder);
  let found: Awaited<ReturnType<typeof gradients>>;
  try {
    found = await gradients(recipe, device, folder);
  } catch (error) {
    return { recipe: recipe.name, error: error instanceof Error ? error.message : String(error) };
  }
  const { loss: loss0, ...rest } = expected.results;
  const scales = Object.entries(rest).map(([name, array]) => [name, largest(values(array))] as const);
  const floor = SMALL * Math.max(...scales.map(([, scale]) => scale));
  let worst = { gradient: 0, parameter: "" };
  for (const [name, scale] of scales) {
    const [a, b] = [values(found.results[name]), values(rest[name])];
    const gradient = largest(a.map((value, i) => value - b[i])) / Math.max(scale, floor);
    // NaN must not pass.
    if (!(gradient <= worst.gradient)) worst = { gradient, parameter: name.slice("gradient ".length) };
  }
  const [x, y] = [values(found.results.loss)[0], values(loss0)[0]];
  const { onDevice, onCpu } = found;
  return { recipe: recipe.name, ...worst, loss: Math.abs(x - y) / Math.abs(y), onDevice, onCpu };
}

/** Loss and gradients of a recipe's batch on a device, and its ops by execution provider. */
async function gradients(recipe: TinyRecipe, device: TrainingDevice, folder: string) {
  const { loss, trained, frozen = new Map(), feeds, close } = await recipe.open(device, folder);
  const profiles = await mkdtemp(join(folder, "profile-"));
  try {
    const symbols = trainedSymbols(loss, trained.keys());
    const of = gradientsOf(
      loss,
      symbols.map(({ sym }) => sym),
    );
    const outputs = Object.fromEntries(symbols.map(({ name }, i) => [`gradient ${name}`, of[i]]));
    const fed = [...trained.keys()].map((name) => [name, "fed"] as const);
    const program = await openProgram<string>({ ...outputs, loss }, new Map([...frozen, ...fed]), {
      device,
      ...(device === "cpu" ? {} : { profile: join(profiles, "ops") }),
    });
    const results = await program.run({ ...feeds, ...Object.fromEntries(trained) });
    await program.close();
    return { results, ...(await placement(profiles)) };
  } finally {
    await close();
  }
}

/**
 * Ops of a profile by execution provider. Ops with integers alone compute shapes: ONNX Runtime keeps them on
 * the CPU.
 */
async function placement(folder: string) {
  const [file] = await readdir(folder);
  const onCpu: Record<string, number> = {};
  let onDevice = 0;
  if (file === undefined) return { onDevice, onCpu };
  interface Event {
    readonly cat?: string;
    readonly name: string;
    readonly args?: {
      readonly op_name?: string;
      readonly provider?: string;
      readonly output_type_shape?: unknown;
    };
  }
  const events = JSON.parse(await readFile(join(folder, file), "utf8")) as readonly Event[];
  for (const { cat, name, args = {} } of events) {
    const { op_name: op, provider, output_type_shape: shapes } = args;
    if (cat !== "Node" || op === undefined || !name.endsWith("_kernel_time")) continue;
    if (provider !== "CPUExecutionProvider" && !op.startsWith("Memcpy")) onDevice++;
    else if (!JSON.stringify(shapes).includes('{"int64"') || op.startsWith("Memcpy"))
      onCpu[op] = (onCpu[op] ?? 0) + 1;
  }
  return { onDevice, onCpu };
}

const values = ({ data }: NdArray): readonly number[] => Array.from(data as Float32Array, Number);
const largest = (numbers: readonly number[]) =>
  numbers.reduce((most, value) => (Math.abs(value) <= most ? most : Math.abs(value)), 0);
