import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  areInstalled,
  CUDA_WHEEL,
  hasCudaLibraries,
  type KnownFile,
  missingCudaLibraries,
  type ProviderWheel,
  providerFolder,
  unpackProvider,
} from "../../../src/net/runtime/cuda-libraries.ts";
import { zipBytes } from "../../base/zip-bytes.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const known = (name: string, data: Uint8Array): KnownFile => ({
  name,
  bytes: data.length,
  sha256: createHash("sha256").update(data).digest("hex"),
});

/** A wheel with two libraries, another file and an entry that points out of the folder. */
function makeWheel(folder: string) {
  const contents = [Buffer.from("shared ".repeat(100)), Buffer.from("cuda ".repeat(1000))];
  const libraries = contents.map((data, i) => known(`lib${i}.so`, data));
  const path = join(folder, "made.whl");
  const packed = contents.map((data, i) => ({
    name: `pkg/capi/lib${i}.so`,
    data: deflateRawSync(data),
    method: 8,
    unpacked: data.length,
  }));
  const other = { name: "../../evil.so", data: Buffer.from("evil") };
  const bytes = zipBytes([other, ...packed, { name: "pkg/__init__.py", data: Buffer.from("raise") }]);
  writeFileSync(path, bytes);
  const wheel: ProviderWheel = {
    ...known("made.whl", bytes),
    version: "1",
    project: "made",
    folder: "pkg/capi",
    libraries,
  };
  return { wheel, path, contents };
}

test("copies the libraries alone out of a wheel", async () => {
  const folder = temporaryFolder();
  const { wheel, path, contents } = makeWheel(folder);
  const target = join(folder, "bin");
  mkdirSync(target);
  expect(await areInstalled(wheel, target)).toBe(false);
  await unpackProvider(wheel, path, target);
  expect(readdirSync(target).sort()).toEqual(["lib0.so", "lib1.so"]);
  contents.forEach((data, i) => {
    expect(readFileSync(join(target, `lib${i}.so`))).toEqual(data);
  });
  expect(readdirSync(folder).sort()).toEqual(["bin", "made.whl"]);
  expect(await areInstalled(wheel, target)).toBe(true);
  writeFileSync(join(target, "lib1.so"), "another library");
  expect(await areInstalled(wheel, target)).toBe(false);
});

test("rejects another wheel and another library by their digests, and writes nothing", async () => {
  const folder = temporaryFolder();
  const { wheel, path } = makeWheel(folder);
  const target = join(folder, "bin");
  const install = (changed: Partial<ProviderWheel>) => unpackProvider({ ...wheel, ...changed }, path, target);
  await expect(install({ bytes: 5 })).rejects.toThrow(/has \d+ bytes; expected 5: it is not made.whl/);
  await expect(install({ sha256: "0".repeat(64) })).rejects.toThrow(/it is not made.whl/);
  const [first, second] = wheel.libraries;
  await expect(install({ libraries: [{ ...first, sha256: "0".repeat(64) }, second] })).rejects.toThrow(
    /pkg\/capi\/lib0.so has SHA-256 [0-9a-f]{64}; expected 0000/,
  );
  await expect(install({ libraries: [{ ...first, bytes: 3 }] })).rejects.toThrow(/no lib0.so of 3 bytes/);
  await expect(install({ libraries: [known("lib2.so", Buffer.from("x"))] })).rejects.toThrow(/no lib2.so/);
  expect(existsSync(target) ? readdirSync(target) : []).toEqual([]);
});

test("the provider is found by its files", async () => {
  const folder = temporaryFolder();
  expect(await hasCudaLibraries(folder)).toBe(false);
  for (const { name } of CUDA_WHEEL.libraries) writeFileSync(join(folder, name), "");
  expect(await hasCudaLibraries(folder)).toBe(true);
});

test("lists libraries of the driver and of CUDA that the linker does not find", async () => {
  const folder = temporaryFolder();
  const cache = join(folder, "ld.so.cache");
  const { name, bytes } = CUDA_WHEEL.libraries[1];
  writeFileSync(join(folder, name), "another build");
  expect(await missingCudaLibraries({ folders: [folder], cache }, folder)).toEqual([]);
  truncateSync(join(folder, name), bytes);
  const all = await missingCudaLibraries({ folders: [folder], cache }, folder);
  expect(all).toContain("libcuda.so.1");
  writeFileSync(join(folder, "libcudart.so.13"), "");
  writeFileSync(cache, "glibc-ld.so.cache1.1\0libcuda.so.1\0/usr/lib/libcuda.so.1\0libcurand.so.100\0");
  const missing = await missingCudaLibraries({ folders: [join(folder, "none"), folder], cache }, folder);
  expect(missing).toEqual(["libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10"]);
});

test("the wheel is of the installed version of ONNX Runtime, whose library is in the folder", () => {
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
    dependencies: Record<string, string>;
  };
  expect(CUDA_WHEEL.version).toBe(dependencies["onnxruntime-node"]);
  expect(CUDA_WHEEL.name).toContain(`onnxruntime_gpu-${CUDA_WHEEL.version}-`);
  expect(readdirSync(providerFolder())).toContain("onnxruntime_binding.node");
});
