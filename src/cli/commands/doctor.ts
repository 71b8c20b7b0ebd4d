import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from "node:os";
import { InputError } from "../../base/errors.ts";
import { cacheFolder } from "../../base/folder.ts";
import { version } from "../../base/package.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import { dinucleotideShuffle } from "../../dna/sequence/shuffle.ts";
import { ndArray } from "../../net/arrays/array.ts";
import { add, input, matMul, softmax } from "../../net/graph/build.ts";
import {
  type ConcreteDevice,
  type Device,
  type DeviceKind,
  deviceKind,
  type ProviderState,
} from "../../net/runtime/device.ts";
import { devicesHere, onnxRuntimeVersion } from "../../net/runtime/onnx-runtime.ts";
import type { Precision, ReducedPrecision } from "../../net/runtime/precision.ts";
import { precisionDevice } from "../../net/runtime/precision-device.ts";
import { openProgram } from "../../net/runtime/program.ts";
import { hasVulkanLoader } from "../../net/runtime/session.ts";
import { bytes } from "../../report/numbers.ts";
import { type Context, type DefineCommand, deviceOption, examples } from "../command.ts";

interface DoctorOptions {
  readonly device: Device;
  readonly json?: boolean;
}

export const defineDoctor: DefineCommand = (command, context) => {
  command
    .description(
      "Lists the machine's devices and their precisions, and verifies in a few seconds that it computes reference results.",
    )
    .addOption(deviceOption("device of the self-check; auto selects the fastest"))
    .option("--json", "print the results as JSON")
    .addHelpText(
      "after",
      examples({
        "before a long run": "dart-eval doctor",
        "test the GPU": "dart-eval doctor --device webgpu",
      }),
    )
    .action((options: DoctorOptions) => examine(options, context));
};

async function examine({ device, json }: DoctorOptions, context: Context): Promise<void> {
  const { terminal, signal } = context;
  const say = (text: string) => {
    if (!json) terminal.print(text);
  };
  const machine = await machineFacts();
  const devices: (ProviderState & DeviceState)[] = [];
  for (const provider of await devicesHere()) {
    devices.push({ ...provider, ...(await deviceState(provider)) });
  }
  const width = Math.max(...Object.keys(machine).map((name) => name.length));
  for (const [name, value] of Object.entries(machine)) say(`${name.padEnd(width)}  ${value}`);
  say("\ndevices");
  for (const { device: name, state, precisions } of devices) {
    say(
      `  ${name.padEnd(7)} ${state}${precisions.length === 0 ? "" : `; precisions ${precisions.join(", ")}`}`,
    );
  }
  say("\nself-check");
  const findings: SelfCheck[] = [];
  for await (const finding of selfCheck(device, signal)) {
    findings.push(finding);
    say(`  ${finding.ok ? "ok    " : "FAILED"} ${finding.check}: ${finding.detail}`);
  }
  if (json) terminal.print(JSON.stringify({ machine, devices, findings }, null, 2));
  if (findings.every(({ ok }) => ok)) return;
  context.exitCode = 1;
  terminal.say("Self-check failed: results of this machine are not reliable.");
}

async function machineFacts(): Promise<Record<string, string>> {
  const models = [...new Set(cpus().map(({ model }) => model.trim()))].filter(Boolean).join(", ");
  return {
    "dart-eval": version,
    "Node.js": process.versions.node,
    "ONNX Runtime": await onnxRuntimeVersion(),
    system: `${platform()} ${release()} ${arch()}`,
    CPU: `${models || "unknown"}, ${availableParallelism()} threads`,
    memory: `${bytes(totalmem())}, ${bytes(freemem())} free`,
    cache: cacheFolder(),
  };
}

/** State of a device: `works`, or the reason why programs do not run on it. */
interface DeviceState {
  readonly works: boolean;
  readonly state: string;
  /** Values of `--precision` that it computes; empty if it does not work. */
  readonly precisions: readonly Precision[];
}

/** Reduced precisions by device; the others compute in f32 only. */
const REDUCED: Readonly<Partial<Record<DeviceKind, ReducedPrecision>>> = {
  cpu: "int8",
  webgpu: "f16",
  cuda: "f16",
};

/** Precisions of a device that works. */
async function precisionsOf(device: ConcreteDevice): Promise<readonly Precision[]> {
  const reduced = REDUCED[deviceKind(device)];
  if (reduced === undefined) return ["f32"];
  try {
    await precisionDevice(reduced, device);
    return ["f32", reduced];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return ["f32"];
  }
}

/** Runs a small graph on a device whose provider is installed: a driver or a GPU may be missing. */
export async function deviceState({ device, present, advice }: ProviderState): Promise<DeviceState> {
  const failed = (state: string): DeviceState => ({ works: false, state, precisions: [] });
  if (!present) return failed(`not installed: ${advice}`);
  if (device === "webgpu" && !(await hasVulkanLoader())) {
    return failed("no GPU found: the Vulkan loader libvulkan.so.1 is missing");
  }
  try {
    const { ok, detail } = await smallGraph(device);
    if (!ok) return failed(`wrong results: ${detail}`);
    return { works: true, state: "works", precisions: await precisionsOf(device) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return failed(`installed, but does not run: ${error.message}`);
  }
}

/** Result of one check. */
interface SelfCheck {
  readonly check: string;
  readonly ok: boolean;
  /** Measured value; in a failed check with the expected one. */
  readonly detail: string;
}

/** Compares results with known ones and measures the speed, in a few seconds. */
async function* selfCheck(device: Device, signal: AbortSignal): AsyncGenerator<SelfCheck> {
  yield randomNumbers();
  yield shuffledControl();
  yield await smallGraph(device);
  yield await matMulRate(device, signal);
}

/** Compares with NumPy's `default_rng(0).permutation(10)`. */
function randomNumbers(): SelfCheck {
  const expected = "4 6 2 7 3 5 9 0 8 1";
  const drawn = new Pcg64(0).permutation(10).join(" ");
  return checkResult("random numbers equal NumPy's", drawn === expected, `permutation ${drawn}`, expected);
}

/** DART-Eval's control of the element chr1:181251-181601. */
function shuffledControl(): SelfCheck {
  const element = "ACGTTGCATGTCGCATGATGCATGAGAGCTACGATCGATTTACGGCTAACN";
  const expected = "AGATTTCATGATGCAAGACGTATTACGTGATCTGATGGCGCGCTACGCACA";
  const control = dinucleotideShuffle(element, new Pcg64(seedOf([0, "chr1", 181251, 181601])));
  return checkResult("controls equal DART-Eval's", control === expected, "one control of 50 bases", expected);
}

/** Compares softmax(x w + b) on the device with float64 arithmetic. */
async function smallGraph(device: Device): Promise<SelfCheck> {
  const [rows, inner, columns] = [3, 4, 5];
  const rng = new Pcg64(1);
  const numbers = (n: number) => Float32Array.from({ length: n }, () => 2 * rng.nextFloat64() - 1);
  const x = numbers(rows * inner);
  const w = numbers(inner * columns);
  const b = numbers(columns);
  const y = softmax(
    add(
      matMul(input("x", "float32", [rows, inner]), input("w", "float32", [inner, columns])),
      input("b", "float32", [columns]),
    ),
  );
  const program = await openProgram({ y }, new Map(), { device });
  try {
    const outputs = await program.run({
      x: ndArray("float32", [rows, inner], x),
      w: ndArray("float32", [inner, columns], w),
      b: ndArray("float32", [columns], b),
    });
    let deviation = 0;
    for (let i = 0; i < rows; i++) {
      const logits = Array.from({ length: columns }, (_, j) => {
        let sum = b[j];
        for (let k = 0; k < inner; k++) sum += x[i * inner + k] * w[k * columns + j];
        return sum;
      });
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      for (const [j, logit] of logits.entries()) {
        const value = Number(outputs.y.data[i * columns + j]);
        deviation = Math.max(deviation, Math.abs(value - Math.exp(logit) / total));
      }
    }
    const detail = `largest deviation ${deviation.toExponential(1)} on ${program.device}`;
    return checkResult("a small graph equals float64 arithmetic", deviation < 1e-6, detail, "at most 1e-6");
  } finally {
    await program.close();
  }
}

/** Multiplies 1024 × 1024 matrices for about a second: 2 · 1024³ operations each. */
async function matMulRate(device: Device, signal: AbortSignal): Promise<SelfCheck> {
  const size = 1024;
  const square = () => ndArray("float32", [size, size], new Float32Array(size * size).fill(1 / size));
  const y = matMul(input("a", "float32", [size, size]), input("b", "float32", [size, size]));
  const program = await openProgram({ y }, new Map(), { device });
  try {
    const feeds = { a: square(), b: square() };
    let outputs = await program.run(feeds); // warm-up
    const seconds: number[] = [];
    for (const start = performance.now(); performance.now() - start < 1000 && seconds.length < 100; ) {
      signal.throwIfAborted();
      const before = performance.now();
      outputs = await program.run(feeds);
      seconds.push((performance.now() - before) / 1000);
    }
    const median = seconds.toSorted((p, q) => p - q)[Math.floor(seconds.length / 2)];
    const rate = (2 * size ** 3) / median / 1e9;
    const right = Math.abs(Number(outputs.y.data[0]) - 1 / size) < 1e-6;
    const detail = `${rate.toFixed(0)} GFLOP/s on ${program.device}, median of ${seconds.length} products of 1024 × 1024`;
    return checkResult("matrix products", right, detail, `${1 / size} in every element`);
  } finally {
    await program.close();
  }
}

function checkResult(check: string, ok: boolean, detail: string, expected: string): SelfCheck {
  return { check, ok, detail: ok ? detail : `${detail}; expected ${expected}` };
}
