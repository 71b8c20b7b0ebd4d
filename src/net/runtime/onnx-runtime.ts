import type * as Ort from "onnxruntime-node";
import { InputError } from "../../base/errors.ts";
import type { ProviderState } from "./device.ts";
import { providerStates } from "./device.ts";

let loading: Promise<typeof Ort> | undefined;

/**
 * The native library, loaded at the first call: reading a genome never loads it.
 *
 * @throws {InputError} when it cannot be loaded on this machine
 */
export function onnxRuntime(): Promise<typeof Ort> {
  loading ??= import("onnxruntime-node").then(
    (module) => (module as typeof Ort & { default?: typeof Ort }).default ?? module,
    (cause) => {
      loading = undefined;
      throw new InputError(`ONNX Runtime cannot be loaded on ${process.platform} ${process.arch}`, {
        hint: "ONNX Runtime has binaries for Linux (x64, arm64), macOS (Apple silicon only) and Windows (x64, arm64); on one of these, run `npm ci` again",
        cause,
      });
    },
  );
  return loading;
}

/** Names of the execution providers inside the installed library. */
export async function bundledProviders(): Promise<ReadonlySet<string>> {
  const { listSupportedBackends } = await onnxRuntime();
  return new Set(listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : [])));
}

/** Every device, and whether its provider is installed. */
export async function devicesHere(): Promise<readonly ProviderState[]> {
  return providerStates(await bundledProviders());
}

/** The version of the native library, as it says. */
export async function onnxRuntimeVersion(): Promise<string> {
  const { env } = await onnxRuntime();
  return env.versions.node ?? env.versions.common;
}
