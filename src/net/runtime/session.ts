import type { InferenceSession } from "onnxruntime-node";
import { InputError, reasonOf } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { missingCudaLibraries } from "./cuda-libraries.ts";
import type { ConcreteDevice, Device } from "./device.ts";
import { candidates, deviceKind, gpuNumber, vulkanLoaders } from "./device.ts";
import { bundledProviders, onnxRuntime } from "./onnx-runtime.ts";

export interface SessionRequest {
  readonly device: Device;
  /** CPU threads; by default ONNX Runtime uses one per core. */
  readonly threads?: number | undefined;
  /** Path prefix of a profile. */
  readonly profile?: string | undefined;
  /** Errors that are thrown are not printed. */
  readonly silent?: boolean | undefined;
  /** Outputs to leave on the device, by name, with all others: only WebGPU can. */
  readonly outputs?: { readonly all: readonly string[]; readonly onDevice: readonly string[] };
  /** Folder of the weights of a model in memory. */
  readonly folder?: string | undefined;
  /** The error to throw when even the CPU provider rejects the model, with the message of ONNX Runtime. */
  readonly refusal: (reason: string, cause: unknown) => Error;
}

export interface OpenedSession {
  readonly session: InferenceSession;
  readonly device: ConcreteDevice;
}

/** True if WebGPU can find a GPU: on Linux, the Vulkan loader is installed. */
export async function hasVulkanLoader(): Promise<boolean> {
  const loaders = vulkanLoaders(process.platform, process.env.LD_LIBRARY_PATH);
  if (loaders.length === 0) return true;
  return (await Promise.all(loaders.map(kindOfPath))).some((kind) => kind === "file");
}

/** Devices that failed for `auto` in this process. */
const withoutDriver = new Set<ConcreteDevice>();

/**
 * Opens a model in ONNX Runtime on the first of the candidate devices that accepts it.
 *
 * @param model  ONNX bytes for a device, or the path of a file
 * @throws {InputError} when the device is not available or rejects the model
 */
export async function openSession(
  model: ((device: ConcreteDevice) => Uint8Array) | string,
  request: SessionRequest,
): Promise<OpenedSession> {
  const { InferenceSession } = await onnxRuntime();
  const { device } = request;
  const bundled = await bundledProviders();
  const tried = device === "auto" ? await automaticDevices(bundled) : candidates(device, bundled);
  let cause: unknown;
  for (const each of tried) {
    const options = sessionOptions(each, request);
    try {
      const session = await (typeof model === "string"
        ? InferenceSession.create(model, options)
        : InferenceSession.create(model(each), options));
      return { session, device: each };
    } catch (error) {
      cause = error;
      if (device === "auto" && each !== "cpu") withoutDriver.add(each);
    }
  }
  if (device === "auto" || device === "cpu") throw request.refusal(reasonOf(cause), cause);
  throw await deviceError(device, cause);
}

/** Devices that `auto` tries: those that have not failed, and whose libraries are installed. */
async function automaticDevices(
  bundled: Awaited<ReturnType<typeof bundledProviders>>,
): Promise<readonly ConcreteDevice[]> {
  if (!(await hasVulkanLoader())) withoutDriver.add("webgpu");
  // ONNX Runtime prints its own error for a library that is missing.
  if (bundled.has("cuda") && !withoutDriver.has("cuda")) {
    if ((await missingCudaLibraries()).length > 0) withoutDriver.add("cuda");
  }
  return candidates("auto", bundled).filter((each) => !withoutDriver.has(each));
}

function sessionOptions(
  device: ConcreteDevice,
  { threads, profile, silent = false, outputs, folder }: SessionRequest,
): InferenceSession.SessionOptions {
  return {
    executionProviders: device === "cpu" ? ["cpu"] : [providerOf(device), "cpu"],
    logSeverityLevel: silent ? 4 : 3,
    // With memory patterns, runs after the first allocate a second block for all tensors in addition to the
    // first.
    enableMemPattern: false,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(outputs === undefined || device !== "webgpu" ? {} : { preferredOutputLocation: locations(outputs) }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    extra: {
      session: {
        // By default, the threads of a session keep their cores busy for a while after each run.
        force_spinning_stop: "1",
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  };
}

/** Error of a GPU that cannot run the model. */
async function deviceError(device: ConcreteDevice, cause: unknown): Promise<InputError> {
  const missing = deviceKind(device) === "cuda" ? await missingCudaLibraries() : [];
  if (missing.length > 0) {
    return new InputError(
      `the device ${device} needs ${missing.join(", ")}, which the system does not find`,
      {
        hint: "install NVIDIA's driver, CUDA 13 and cuDNN 9, or add their folders to LD_LIBRARY_PATH",
        cause,
      },
    );
  }
  return new InputError(`the device ${device} cannot run this program: ${reasonOf(cause)}`, {
    hint: "check the driver with `dart-eval doctor`, or use --device cpu",
    cause,
  });
}

const locations = ({ all, onDevice }: NonNullable<SessionRequest["outputs"]>) =>
  Object.fromEntries(all.map((name) => [name, onDevice.includes(name) ? "gpu-buffer" : "cpu"] as const));

function providerOf(device: ConcreteDevice): InferenceSession.ExecutionProviderConfig {
  const gpu = gpuNumber(device);
  return gpu === undefined ? deviceKind(device) : { name: "cuda", deviceId: gpu };
}
