import type { InferenceSession } from "onnxruntime-node";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import type { ConcreteDevice, Device } from "./device.ts";
import { candidates, vulkanLoaders } from "./device.ts";
import { bundledProviders, onnxRuntime } from "./onnx-runtime.ts";

export interface SessionRequest {
  readonly device: Device;
  /** Threads of the processor; the runtime's own choice, one per core, when absent. */
  readonly threads?: number | undefined;
  /** Where the files lie that a model in memory takes its weights from. */
  readonly folder?: string | undefined;
  /** The error to throw when even the processor refuses the model, by what ONNX Runtime said. */
  readonly refusal: (reason: string, cause: unknown) => Error;
}

export interface OpenedSession {
  readonly session: InferenceSession;
  readonly device: ConcreteDevice;
}

/** Whether WebGPU can find a GPU: on Linux, the Vulkan loader is installed. */
export async function hasVulkanLoader(): Promise<boolean> {
  const loaders = vulkanLoaders(process.platform, process.env.LD_LIBRARY_PATH);
  if (loaders.length === 0) return true;
  return (await Promise.all(loaders.map(kindOfPath))).some((kind) => kind === "file");
}

/** Devices that `auto` has tried in vain in this process. */
const withoutDriver = new Set<ConcreteDevice>();

/**
 * Gives a model to ONNX Runtime on the first of the asked devices that takes it.
 *
 * @param model  ONNX bytes, or the path of a file
 * @throws {InputError} when the device is not available or refuses the model
 */
export async function openSession(
  model: Uint8Array | string,
  { device, threads, folder, refusal }: SessionRequest,
): Promise<OpenedSession> {
  const { InferenceSession } = await onnxRuntime();
  if (device === "auto" && !(await hasVulkanLoader())) withoutDriver.add("webgpu");
  const tried = candidates(device, await bundledProviders()).filter(
    (each) => device !== "auto" || !withoutDriver.has(each),
  );
  let cause: unknown;
  for (const each of tried) {
    const options: InferenceSession.SessionOptions = {
      executionProviders: each === "cpu" ? ["cpu"] : [each, "cpu"],
      logSeverityLevel: 3,
      // With it, every run after the first takes a second block for all its tensors beside what the first one took.
      enableMemPattern: false,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(folder === undefined
        ? {}
        : { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
    };
    try {
      const session = await (typeof model === "string"
        ? InferenceSession.create(model, options)
        : InferenceSession.create(model, options));
      return { session, device: each };
    } catch (error) {
      cause = error;
      if (device === "auto" && each !== "cpu") withoutDriver.add(each);
    }
  }
  if (device === "auto" || device === "cpu") throw refusal(reasonOf(cause), cause);
  throw new InputError(`the device ${device} cannot run this program: ${reasonOf(cause)}`, {
    hint: "check the driver with `dart-eval doctor`, or use --device cpu",
    cause,
  });
}

/** What ONNX Runtime said. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
