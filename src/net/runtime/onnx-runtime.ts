import { isMainThread } from "node:worker_threads";
import type * as Ort from "onnxruntime-node";
import { InputError, InternalError } from "../../base/errors.ts";
import { NO_TELEMETRY } from "../../base/process.ts";
import type { NdArray } from "../arrays/array.ts";
import { hasCudaLibraries } from "./cuda-libraries.ts";
import { type ProviderState, providerStates } from "./device.ts";

let loading: Promise<typeof Ort> | undefined;

/**
 * ONNX Runtime's native library, loaded at the first call, with telemetry disabled.
 *
 * @throws {InputError} when it cannot be loaded on this machine, or its telemetry cannot be disabled: in a
 *                      worker thread, which has only a copy of the environment that the library reads
 */
export async function onnxRuntime(): Promise<typeof Ort> {
  loading ??= loadWithoutTelemetry();
  return loading;
}

/** A tensor of ONNX Runtime with an array's memory. */
export const tensorOf = ({ Tensor }: typeof Ort, { dtype, shape, data }: NdArray): Ort.Tensor =>
  new Tensor(dtype as "float32", data as Float32Array, shape); // an overload per type

/** An array with the memory of a tensor. */
export const ndArrayOf = ({ type, dims, data }: Ort.Tensor) =>
  ({ dtype: type, shape: dims, data: type === "float16" ? bitsOf(data) : data }) as NdArray;

/** Bits of float16, for which newer versions of Node have a Float16Array. */
function bitsOf(data: Ort.Tensor.DataType): Uint16Array {
  if (!ArrayBuffer.isView(data)) throw new InternalError("a tensor of float16 has no buffer");
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}

function loadWithoutTelemetry(): Promise<typeof Ort> {
  for (const [name, value] of Object.entries(NO_TELEMETRY)) {
    if (isMainThread) process.env[name] = value;
    else if (process.env[name] !== value) {
      throw new InputError("ONNX Runtime would send telemetry from this worker thread", {
        hint: `set ${name}=${value} before the process starts`,
      });
    }
  }
  // CUDA's libraries round float32 products to 10 bits unless this is 0, which they read when they load.
  if (isMainThread) process.env.NVIDIA_TF32_OVERRIDE ??= "0";
  return import("onnxruntime-node").then(
    (module) => (module as typeof Ort & { default?: typeof Ort }).default ?? module,
    (cause) => {
      loading = undefined;
      throw new InputError(`ONNX Runtime cannot be loaded on ${process.platform} ${process.arch}`, {
        hint: "ONNX Runtime has binaries for Linux (x64, arm64), macOS (Apple silicon only) and Windows (x64, arm64); on one of these, run `npm ci` again",
        cause,
      });
    },
  );
}

/**
 * Names of the execution providers of the installed library. ONNX Runtime never lists CUDA: its files decide.
 */
export async function bundledProviders(): Promise<ReadonlySet<string>> {
  const { listSupportedBackends } = await onnxRuntime();
  const bundled = listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : []));
  return new Set([...bundled, ...((await hasCudaLibraries()) ? ["cuda"] : [])]);
}

/** All devices, and whether their provider is installed. */
export async function devicesHere(): Promise<readonly ProviderState[]> {
  return providerStates(await bundledProviders());
}

/** Version of the native library. */
export async function onnxRuntimeVersion(): Promise<string> {
  const { env } = await onnxRuntime();
  return env.versions.node ?? env.versions.common;
}
