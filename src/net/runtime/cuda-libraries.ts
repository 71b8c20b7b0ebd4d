import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { mismatch } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { checkIsFile, fileSize, kindOfPath } from "../../base/folder.ts";
import { bytesIfPresent, openFile } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { entryContents, readZipDirectory, type ZipEntry } from "../../base/zip.ts";
import { libraryFolders } from "./device.ts";

// ONNX Runtime's CUDA provider is two shared libraries next to its own, which the npm package does not
// contain. Those of the Python package of the same version are built from the same commit.

/** A file with its SHA-256. */
export interface KnownFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A Python wheel, and the libraries to take from it. */
export interface ProviderWheel extends KnownFile {
  /** Of the npm package and of the wheel. */
  readonly version: string;
  readonly project: string;
  /** Folder of the libraries in the wheel. */
  readonly folder: string;
  readonly libraries: readonly KnownFile[];
}

/** The CUDA provider for Linux x64, built for CUDA 13. */
export const CUDA_WHEEL: ProviderWheel = {
  version: "1.30.0",
  project: "onnxruntime-gpu",
  name: "onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl",
  bytes: 246685715,
  sha256: "6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1",
  folder: "onnxruntime/capi",
  libraries: [
    {
      name: "libonnxruntime_providers_shared.so",
      bytes: 14632,
      sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
    },
    {
      name: "libonnxruntime_providers_cuda.so",
      bytes: 272049904,
      sha256: "35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc",
    },
  ],
};

/** Libraries of the driver and of CUDA 13 that the provider loads at its start. */
const NEEDED = ["libcuda.so.1", "libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10"];

/** Folders and cache of the system's dynamic linker. */
export interface LinkerPlaces {
  readonly folders: readonly string[];
  /** `/etc/ld.so.cache`, which contains the names of the libraries that `ldconfig` found. */
  readonly cache: string;
}

const linkerPlaces = (): LinkerPlaces => ({
  folders: [...libraryFolders(process.env.LD_LIBRARY_PATH), join(dirname(process.execPath), "..", "lib")],
  cache: "/etc/ld.so.cache",
});

/**
 * Libraries of the NVIDIA driver and of CUDA that the dynamic linker does not find; none if the provider is
 * another build, which may need others.
 */
export async function missingCudaLibraries(
  { folders, cache } = linkerPlaces(),
  provider = providerFolder(),
): Promise<readonly string[]> {
  const { name: library, bytes } = CUDA_WHEEL.libraries[1];
  const path = join(provider, library);
  if ((await kindOfPath(path)) !== "file" || (await fileSize(path)) !== bytes) return [];
  const known = Buffer.from((await bytesIfPresent(cache)) ?? []);
  const missing: string[] = [];
  for (const name of NEEDED) {
    const kinds = await Promise.all(folders.map((folder) => kindOfPath(join(folder, name))));
    if (!kinds.includes("file") && !known.includes(`${name}\0`)) missing.push(name);
  }
  return missing;
}

/** Folder of ONNX Runtime's own library, where it looks for those of providers. */
export function providerFolder(): string {
  const main = createRequire(import.meta.url).resolve("onnxruntime-node"); // dist/index.js
  return join(dirname(main), "..", "bin", "napi-v6", process.platform, process.arch);
}

/** True if the libraries of the CUDA provider are there; those of CUDA and cuDNN may be missing. */
export async function hasCudaLibraries(folder = providerFolder()): Promise<boolean> {
  const kinds = CUDA_WHEEL.libraries.map(({ name }) => kindOfPath(join(folder, name)));
  return (await Promise.all(kinds)).every((kind) => kind === "file");
}

/** True if the libraries are those of the wheel, by digest. */
export async function areInstalled({ libraries }: ProviderWheel, folder: string): Promise<boolean> {
  for (const { name, ...expected } of libraries) {
    const path = join(folder, name);
    if ((await kindOfPath(path)) !== "file" || (await mismatch(path, expected)) !== undefined) return false;
  }
  return true;
}

/**
 * Copies the libraries out of a wheel into a folder. The wheel and each library must have the known digest;
 * no other file of the wheel is read.
 *
 * @param path  the wheel
 * @throws {InputError} when the wheel is another file, or the folder is not writable
 */
export async function unpackProvider(wheel: ProviderWheel, path: string, folder: string): Promise<void> {
  await checkIsFile(path);
  const wrong = await mismatch(path, wheel);
  if (wrong !== undefined) {
    throw new InputError(`the file ${wrong}: it is not ${wheel.name}`, {
      place: { file: path },
      hint: `download ${wheel.name} of ${wheel.project} ${wheel.version} again`,
    });
  }
  await using file = await openFile(path);
  const entries = await readZipDirectory(file);
  for (const library of wheel.libraries) {
    const entry = entries.get(`${wheel.folder}/${library.name}`);
    if (entry?.size !== library.bytes) {
      throw new FormatError({ file: path }, `the wheel has no ${library.name} of ${library.bytes} bytes`);
    }
    const contents = verified(entryContents(file, entry), library, { path, entry });
    await writeFileAtomic(join(folder, library.name), contents);
  }
}

/** Passes contents on, and fails at their end if their digest is another one. */
async function* verified(
  contents: AsyncIterable<Uint8Array>,
  { sha256 }: KnownFile,
  { path, entry }: { readonly path: string; readonly entry: ZipEntry },
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of contents) {
    hash.update(piece);
    yield piece;
  }
  const found = hash.digest("hex");
  if (found === sha256) return;
  throw new FormatError({ file: path }, `${entry.name} has SHA-256 ${found}; expected ${sha256}`);
}
