import { InputError } from "../../base/errors.ts";
import { keysOf } from "../../base/record.ts";

/** Devices that can run a program. `auto` selects the first one that works on this machine, the CPU last. */
export const DEVICES = ["cpu", "webgpu", "cuda", "coreml", "dml", "auto"] as const;

/** A GPU by its number, counted from 0: `cuda` is `cuda:0`. */
type CudaGpu = `cuda:${number}`;

/** A device, or "auto" for the first one that works. */
export type Device = (typeof DEVICES)[number] | CudaGpu;
export type ConcreteDevice = Exclude<Device, "auto">;

/** A device without the number of a GPU: the name of its execution provider. */
export type DeviceKind = Exclude<ConcreteDevice, CudaGpu>;

/** Devices that train. CoreML computes in float16, and DirectML has not been tried. */
export const TRAINING_DEVICES = ["cpu", "webgpu", "cuda"] as const;
export type TrainingKind = (typeof TRAINING_DEVICES)[number];
export type TrainingDevice = TrainingKind | CudaGpu;

const isCudaGpu = (device: Device): device is CudaGpu => device.startsWith("cuda:");

/** The device without the number of a GPU. */
export function deviceKind(device: TrainingDevice): TrainingKind;
export function deviceKind(device: ConcreteDevice): DeviceKind;
export function deviceKind(device: ConcreteDevice): DeviceKind {
  return isCudaGpu(device) ? "cuda" : device;
}

/** Number of a GPU, counted from 0; undefined where the device has none. */
export const gpuNumber = (device: ConcreteDevice): number | undefined =>
  isCudaGpu(device) ? Number(device.slice("cuda:".length)) : undefined;

/** Parses `webgpu` or `cuda:1`; undefined for any other text. */
export function parseDevice(text: string): Device | undefined {
  const gpu = /^cuda:(\d{1,3})$/.exec(text)?.[1];
  return gpu === undefined ? DEVICES.find((device) => device === text) : `cuda:${Number(gpu)}`;
}

/**
 * Device of training, and of trained networks, in a run with a device: the device itself if it trains, else
 * the CPU. "auto" is the CPU on every machine, since a training run's device is part of its identity.
 */
export function trainingDevice(device: Device): TrainingDevice {
  return isCudaGpu(device) ? device : (TRAINING_DEVICES.find((each) => each === device) ?? "cpu");
}

const AUTO_ORDER: readonly DeviceKind[] = ["cuda", "coreml", "webgpu", "cpu"];

/**
 * True for devices that run loops in a graph efficiently. Others do not support them, or launch every op of
 * every step separately: there a recurrence is one operator for all steps.
 */
export const runsLoopsWell = (device: ConcreteDevice): boolean => device === "cpu";

/** Advice for a device whose provider is not part of the installed ONNX Runtime. */
const INSTALL: Readonly<Record<DeviceKind, string>> = {
  cpu: "reinstall onnxruntime-node",
  webgpu:
    "it comes with onnxruntime-node on Linux x64, Windows and macOS; a Vulkan, Metal or Direct3D 12 driver is needed",
  cuda: "on Linux x64 with CUDA 13 and cuDNN 9, run `dart-eval install cuda`",
  coreml: "it comes with onnxruntime-node on macOS only",
  dml: "it comes with onnxruntime-node on Windows only",
};

/** Folders of shared libraries on Linux, in addition to LD_LIBRARY_PATH. */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"].flatMap((folder) => [
  folder,
  `${folder}/x86_64-linux-gnu`,
  `${folder}/aarch64-linux-gnu`,
]);

/**
 * Paths of the Vulkan loader, one of which must exist for WebGPU to find a GPU on Linux; empty on other
 * systems. Probing the provider itself would print its own error.
 */
export function vulkanLoaders(platform: string, searched: string | undefined): readonly string[] {
  if (platform !== "linux") return [];
  return libraryFolders(searched).map((folder) => `${folder}/libvulkan.so.1`);
}

/** Folders of shared libraries on Linux. @param searched  LD_LIBRARY_PATH */
export const libraryFolders = (searched: string | undefined): readonly string[] => [
  ...(searched ?? "").split(":").filter(Boolean),
  ...LIBRARY_FOLDERS,
];

/** State of one execution provider of ONNX Runtime. */
export interface ProviderState {
  readonly device: DeviceKind;
  readonly present: boolean;
  /** Installation advice if it is absent. */
  readonly advice: string;
}

/**
 * All devices, and whether the installed ONNX Runtime includes their provider; a driver may still be missing.
 */
export function providerStates(bundled: ReadonlySet<string>): readonly ProviderState[] {
  return keysOf(INSTALL).map((device) => ({
    device,
    present: bundled.has(device),
    advice: INSTALL[device],
  }));
}

/**
 * Devices to try for a requested device, best first.
 *
 * @throws {InputError} when the provider of the requested device is not installed, with installation advice
 */
export function candidates(device: Device, bundled: ReadonlySet<string>): readonly ConcreteDevice[] {
  if (device === "auto") return AUTO_ORDER.filter((each) => bundled.has(each));
  const kind = deviceKind(device);
  if (bundled.has(kind)) return [device];
  throw new InputError(
    `the device ${device} is not available: this ONNX Runtime supports ${[...bundled].join(", ")}`,
    {
      hint: `${INSTALL[kind]}; or use --device auto`,
    },
  );
}
