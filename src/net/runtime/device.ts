import { InputError } from "../../base/errors.ts";

/** Devices that can run a program. `auto` selects the first one that works on this machine, the CPU last. */
export const DEVICES = ["cpu", "webgpu", "cuda", "coreml", "dml", "auto"] as const;

/** A device, or "auto" for the first one that works. */
export type Device = (typeof DEVICES)[number];
export type ConcreteDevice = Exclude<Device, "auto">;

const AUTO_ORDER: readonly ConcreteDevice[] = ["cuda", "coreml", "webgpu", "cpu"];

/**
 * True for devices that run loops in a graph efficiently. Others do not support them, or launch every op of
 * every step separately: there a recurrence is computed in passes over all steps.
 */
export const runsLoopsWell = (device: ConcreteDevice): boolean => device === "cpu";

/** Advice for a device whose provider is not part of the installed ONNX Runtime. */
const INSTALL: Readonly<Record<ConcreteDevice, string>> = {
  cpu: "reinstall onnxruntime-node",
  webgpu:
    "it comes with onnxruntime-node on Linux x64, Windows and macOS; a Vulkan, Metal or Direct3D 12 driver is needed",
  cuda: "on Linux x64 with CUDA 12 and cuDNN 9, run `node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` in the folder where dart-eval is installed",
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
  const folders = [...(searched ?? "").split(":").filter(Boolean), ...LIBRARY_FOLDERS];
  return folders.map((folder) => `${folder}/libvulkan.so.1`);
}

/** State of one execution provider of ONNX Runtime. */
export interface ProviderState {
  readonly device: ConcreteDevice;
  readonly present: boolean;
  /** Installation advice if it is absent. */
  readonly advice: string;
}

/**
 * All devices, and whether the installed ONNX Runtime includes their provider; a driver may still be missing.
 */
export function providerStates(bundled: ReadonlySet<string>): readonly ProviderState[] {
  return (Object.keys(INSTALL) as ConcreteDevice[]).map((device) => ({
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
  if (bundled.has(device)) return [device];
  throw new InputError(
    `the device ${device} is not available: this ONNX Runtime supports ${[...bundled].join(", ")}`,
    {
      hint: `${INSTALL[device]}; or use --device auto`,
    },
  );
}
