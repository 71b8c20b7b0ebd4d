import { download } from "../../base/download.ts";
import { InputError } from "../../base/errors.ts";
import { cacheFolder } from "../../base/folder.ts";
import { findIndexFile, pipIndex } from "../../base/python-index.ts";
import { removeFile } from "../../base/write-file.ts";
import {
  areInstalled,
  CUDA_WHEEL,
  type ProviderWheel,
  providerFolder,
  unpackProvider,
} from "../../net/runtime/cuda-libraries.ts";
import { bytes } from "../../report/numbers.ts";
import { type Context, type DefineCommand, examples } from "../command.ts";
import { type Progress, startProgress } from "../progress.ts";
import { deviceState } from "./doctor.ts";

interface InstallOptions {
  readonly wheel?: string;
  readonly index?: string;
}

export const defineInstall: DefineCommand = (command, context) => {
  command.description("Downloads libraries that the npm package does not contain.");
  command
    .command("cuda")
    .summary("ONNX Runtime's CUDA provider, on Linux x64")
    .description(
      `Downloads ONNX Runtime's CUDA provider (${bytes(CUDA_WHEEL.bytes)}) from the user's Python package index, verifies it, and copies its two libraries next to ONNX Runtime. Python is not needed. CUDA 13, cuDNN 9 and NVIDIA's driver have to be installed.`,
    )
    .option("--index <url>", "package index (default: PIP_INDEX_URL, index-url of pip's configuration, PyPI)")
    .option("--wheel <file>", `${CUDA_WHEEL.name}, downloaded on another machine`)
    .addHelpText(
      "after",
      examples({
        "from the index that pip uses": "dart-eval install cuda",
        "without a network": `dart-eval install cuda --wheel ${CUDA_WHEEL.name}`,
      }),
    )
    .action((options: InstallOptions) => installCuda(options, context));
};

async function installCuda({ wheel, index }: InstallOptions, context: Context): Promise<void> {
  const { terminal } = context;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new InputError(
      `the CUDA provider exists for Linux x64; this system is ${process.platform} ${process.arch}`,
      { hint: "use --device webgpu" },
    );
  }
  const folder = providerFolder();
  if (await areInstalled(CUDA_WHEEL, folder)) {
    terminal.print(`ONNX Runtime's CUDA provider is already in ${folder}`);
  } else if (wheel !== undefined) {
    await unpackProvider(CUDA_WHEEL, wheel, folder);
    terminal.print(`installed ONNX Runtime's CUDA provider in ${folder}`);
  } else {
    const path = cacheFolder("install", CUDA_WHEEL.name);
    await fetchWheel(CUDA_WHEEL, path, index, context);
    await unpackProvider(CUDA_WHEEL, path, folder);
    await removeFile(path);
    terminal.print(`installed ONNX Runtime's CUDA provider in ${folder}`);
  }
  const { works, state } = await deviceState({ device: "cuda", present: true, advice: "" });
  terminal.print(`cuda ${state}`);
  if (!works) context.exitCode = 1;
}

/** Downloads the wheel to a path from an index. */
async function fetchWheel(
  wheel: ProviderWheel,
  path: string,
  index: string | undefined,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const from = index === undefined ? await pipIndex() : { url: index, setting: "--index" };
  const { url, headers } = await findIndexFile(from, wheel.project, wheel.name, { signal });
  context.resume = "The same command resumes the download.";
  let progress: Progress | undefined;
  try {
    await download({
      url,
      path,
      headers,
      expected: { bytes: wheel.bytes, sha256: wheel.sha256 },
      signal,
      onWait: (why) => terminal.say(why),
      onProgress(done, total = wheel.bytes) {
        progress ??= startProgress(terminal, { unit: "bytes", total, before: done });
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}
