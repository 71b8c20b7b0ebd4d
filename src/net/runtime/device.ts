import { InputError } from "../../base/errors.ts";

/** Where a program runs. `auto` takes the first device of this machine that works, the processor last. */
export const DEVICES = ["cpu", "webgpu", "cuda", "coreml", "dml", "auto"] as const;

export type Device = (typeof DEVICES)[number];
export type ConcreteDevice = Exclude<Device, "auto">;

const AUTO_ORDER: readonly ConcreteDevice[] = ["cuda", "coreml", "webgpu", "cpu"];

/**
 * Whether a loop in a graph runs well on a device. Elsewhere there is none, or every op of every step is launched by itself,
 * and a recurrence is better computed by some passes over all steps.
 */
export const runsLoopsWell = (device: ConcreteDevice): boolean => device === "cpu";

/** What to do where a device's provider is not part of the installed ONNX Runtime. */
const INSTALL: Readonly<Record<ConcreteDevice, string>> = {
  cpu: "reinstall onnxruntime-node",
  webgpu:
    "it comes with onnxruntime-node on Linux x64, Windows and macOS; a Vulkan, Metal or Direct3D 12 driver is needed",
  cuda: "on Linux x64 with CUDA 12 and cuDNN 9, run `node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` in the folder where dart-eval is installed",
  coreml: "it comes with onnxruntime-node on macOS only",
  dml: "it comes with onnxruntime-node on Windows only",
};

/** Folders of shared libraries on Linux, beside those that LD_LIBRARY_PATH names. */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"].flatMap((folder) => [
  folder,
  `${folder}/x86_64-linux-gnu`,
  `${folder}/aarch64-linux-gnu`,
]);

/**
 * Files of which one must be there for WebGPU to find a GPU: the Vulkan loader on Linux. Empty where the system brings it.
 * Asking the provider itself would print its own complaint.
 */
export function vulkanLoaders(platform: string, searched: string | undefined): readonly string[] {
  if (platform !== "linux") return [];
  const folders = [...(searched ?? "").split(":").filter(Boolean), ...LIBRARY_FOLDERS];
  return folders.map((folder) => `${folder}/libvulkan.so.1`);
}

export interface ProviderState {
  readonly device: ConcreteDevice;
  readonly present: boolean;
  /** What to install where it is absent. */
  readonly advice: string;
}

/** Every device and whether the installed ONNX Runtime brings its provider; a driver may still be missing. */
export function providerStates(bundled: ReadonlySet<string>): readonly ProviderState[] {
  return (Object.keys(INSTALL) as ConcreteDevice[]).map((device) => ({
    device,
    present: bundled.has(device),
    advice: INSTALL[device],
  }));
}

/**
 * The devices to try for a wish, best first.
 *
 * @throws {InputError} when the wish names a device whose provider is not installed, with what to install
 */
export function candidates(device: Device, bundled: ReadonlySet<string>): readonly ConcreteDevice[] {
  if (device === "auto") return AUTO_ORDER.filter((each) => bundled.has(each));
  if (bundled.has(device)) return [device];
  throw new InputError(
    `the device ${device} is not available: this ONNX Runtime brings ${[...bundled].join(", ")}`,
    {
      hint: `${INSTALL[device]}; or use --device auto`,
    },
  );
}
