import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { FormatError } from "../../../src/base/errors.ts";
import { type TarEntry, writeTar } from "../../../src/base/tar-file.ts";
import { unpackBundle, writeBundle } from "../../../src/datasets/sources/bundle.ts";
import { readDataRecord, recordFiles } from "../../../src/datasets/sources/data-record.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

function put(folder: string, path: string, contents: string | Buffer) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), contents);
}

const genome = Buffer.alloc(200_000, "ACGT");

async function bundled() {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  put(data, "refs/genome.fa", genome);
  put(data, "task_1_ccre/elements.tsv", "chr\n");
  put(data, "task_1_ccre/big.bed.part", "unfinished");
  await recordFiles(data, [
    {
      path: "refs/genome.fa",
      bytes: genome.length,
      sha256: sha256Hex(genome),
      from: "ENCODE",
      since: "2024-12-06",
    },
  ]);
  const checkpoint = join(folder, "snapshot");
  put(join(folder, "blobs"), "0a", "weights");
  mkdirSync(checkpoint);
  symlinkSync(join(folder, "blobs", "0a"), join(checkpoint, "model.safetensors"));
  const tar = join(folder, "bundle.tar");
  return { folder, data, checkpoint, tar };
}

const listed = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();

test("packs and unpacks a data folder and a checkpoint", async () => {
  const { folder, data, checkpoint, tar } = await bundled();
  const files = await writeBundle(data, tar, { more: { "models/toy": checkpoint } });
  expect(files.map(({ path }) => path)).toEqual([
    "refs/genome.fa",
    "task_1_ccre/elements.tsv",
    "models/toy/model.safetensors",
  ]);
  const there = join(folder, "there");
  await unpackBundle(tar, there);
  expect(readFileSync(join(there, "refs/genome.fa")).equals(genome)).toBe(true);
  expect(readFileSync(join(there, "models/toy/model.safetensors"), "utf8")).toBe("weights");
  const record = await readDataRecord(there);
  expect(record.map(({ path, from }) => `${path} ${from}`)).toEqual([
    "models/toy/model.safetensors made or put here",
    "refs/genome.fa ENCODE",
    "task_1_ccre/elements.tsv made or put here",
  ]);
  // A second time changes nothing; equal folders make equal archives.
  await unpackBundle(tar, there);
  await writeBundle(data, `${tar}.2`, { more: { "models/toy": checkpoint } });
  expect(readFileSync(`${tar}.2`).equals(readFileSync(tar))).toBe(true);
});

test("rejects a record with a path outside the folder", async () => {
  const folder = temporaryFolder();
  const file = { path: "../out", bytes: 1, sha256: sha256Hex("x"), from: "here", since: "2026-01-01" };
  const record = { format: "dart-eval data", formatVersion: 1, files: [file] };
  writeFileSync(join(folder, "dart-eval-data.json"), JSON.stringify(record));
  await expect(readDataRecord(folder)).rejects.toThrow(/files\.0\.path: a path that leaves the folder/);
});

test("does not bundle a file that changed since it was fetched", async () => {
  const { data, tar } = await bundled();
  put(data, "refs/genome.fa", "ACGT");
  await expect(writeBundle(data, tar)).rejects.toThrow("has changed since it was fetched");
  expect(existsSync(tar)).toBe(false);
});

describe("a damaged archive writes no wrong file", () => {
  test("truncated", async () => {
    const { folder, data, tar } = await bundled();
    await writeBundle(data, tar);
    writeFileSync(tar, readFileSync(tar).subarray(0, 100_000));
    const error = await unpackBundle(tar, join(folder, "there")).catch((error: FormatError) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toMatch(/its end is missing|the archive is truncated/);
    expect(existsSync(join(folder, "there/refs/genome.fa"))).toBe(false);
  });

  test("another file", async () => {
    const { folder, tar } = await bundled();
    writeFileSync(tar, "no archive\n".repeat(500));
    const error = await unpackBundle(tar, join(folder, "there")).catch((error: FormatError) => error);
    expect(error).toMatchObject({ message: "the file is not a tar archive, or damaged" });
  });

  test("one byte of a file changed", async () => {
    const { folder, data, tar } = await bundled();
    await writeBundle(data, tar);
    const bytes = readFileSync(tar);
    bytes[bytes.indexOf("ACGTACGT") + 1000] ^= 1;
    writeFileSync(tar, bytes);
    await expect(unpackBundle(tar, join(folder, "there"))).rejects.toThrow(
      /refs\/genome.fa has SHA-256 .*by its manifest/,
    );
    expect(listed(join(folder, "there")).filter((name) => name.includes("genome"))).toEqual([]);
  });

  test("keeps a different existing file and unpacks nothing", async () => {
    const { folder, data, tar } = await bundled();
    await writeBundle(data, tar);
    const there = join(folder, "there");
    put(there, "task_1_ccre/elements.tsv", "mine\n");
    await expect(unpackBundle(tar, there)).rejects.toThrow(/the existing file has .* expected/);
    expect(listed(there)).toEqual(["task_1_ccre", "task_1_ccre/elements.tsv"]);
  });

  const entry = (path: string, text: string): TarEntry => ({
    path,
    bytes: Buffer.byteLength(text),
    contents: Buffer.from(text),
  });
  const manifestOf = (files: readonly { path: string; text: string }[]) =>
    entry(
      "dart-eval-bundle.json",
      JSON.stringify({
        format: "dart-eval bundle",
        formatVersion: 1,
        toolkit: "0",
        files: files.map(({ path, text }) => ({
          path,
          bytes: text.length,
          sha256: sha256Hex(text),
          from: "x",
        })),
      }),
    );
  async function* these(entries: readonly TarEntry[]) {
    yield* entries;
  }
  const good = { path: "a.txt", text: "a" };

  test.each([
    ["../up.txt", "a path that leaves the folder"],
    ["/etc/up.txt", "a path that leaves the folder"],
    ["a/../../up.txt", "a path that leaves the folder"],
    ["c:up.txt", "a path that leaves the folder"],
    ["a\\..\\up.txt", "a path that leaves the folder"],
  ])("a manifest with the path %s", async (path, message) => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const tar = join(folder, "evil.tar");
    await writeTar(tar, these([manifestOf([{ path, text: "x" }]), entry("a.txt", "x")]));
    await expect(unpackBundle(tar, join(folder, "in"))).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual(["evil.tar"]);
  });

  test.each([
    [
      "an entry missing in the manifest",
      [manifestOf([good]), entry("b.txt", "b")],
      "differs from its manifest",
    ],
    [
      "an entry with a parent path",
      [manifestOf([good]), entry("../a.txt", "a")],
      "differs from its manifest",
    ],
    ["an entry of another size", [manifestOf([good]), entry("a.txt", "aa")], "differs from its manifest"],
    [
      "a file twice",
      [manifestOf([good]), entry("a.txt", "a"), entry("a.txt", "a")],
      "differs from its manifest",
    ],
    ["a name twice", [manifestOf([good, good]), entry("a.txt", "a")], "names a file twice"],
    ["a file missing", [manifestOf([good, { path: "b", text: "b" }]), entry("a.txt", "a")], "b is missing"],
    ["no manifest", [entry("a.txt", "a")], "this is not a dart-eval bundle"],
    ["a manifest that is not JSON", [entry("dart-eval-bundle.json", "{")], "not JSON"],
  ])("%s", async (_, entries, message) => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const tar = join(folder, "bundle.tar");
    await writeTar(tar, these(entries));
    await expect(unpackBundle(tar, join(folder, "in"))).rejects.toThrow(message);
    expect(existsSync(join(folder, "a.txt"))).toBe(false);
  });

  test("a link instead of a file", async () => {
    const { execFileSync } = await import("node:child_process");
    const folder = temporaryFolder();
    mkdirSync(join(folder, "x"), { recursive: true });
    writeFileSync(join(folder, "x/dart-eval-bundle.json"), manifestOf([good]).contents as Buffer);
    symlinkSync("/etc/passwd", join(folder, "x/a.txt"));
    const tar = join(folder, "bundle.tar");
    execFileSync("tar", ["-cf", tar, "-C", join(folder, "x"), "dart-eval-bundle.json", "a.txt"]);
    await expect(unpackBundle(tar, join(folder, "in"))).rejects.toThrow(
      /SymbolicLink.*differs from its manifest/,
    );
    expect(existsSync(join(folder, "in/a.txt"))).toBe(false);
  });
});

test("reads archives of tar, and tar reads ours", async () => {
  const { execFileSync } = await import("node:child_process");
  const { folder, data, tar } = await bundled();
  await writeBundle(data, tar);
  const by = join(folder, "by-tar");
  mkdirSync(by);
  execFileSync("tar", ["-xf", tar, "-C", by]);
  expect(readFileSync(join(by, "refs/genome.fa")).equals(genome)).toBe(true);
  execFileSync("tar", [
    ...["-cf", `${tar}.gnu`, "--format=gnu", "-C", by],
    ...["dart-eval-bundle.json", "refs/genome.fa", "task_1_ccre/elements.tsv"],
  ]);
  await unpackBundle(`${tar}.gnu`, join(folder, "again"));
  expect(readFileSync(join(folder, "again/refs/genome.fa")).equals(genome)).toBe(true);
});

test("removes leftovers of an interrupted unpack", async () => {
  const { folder, data, tar } = await bundled();
  await writeBundle(data, tar);
  const there = join(folder, "there");
  put(there, "refs/.genome.fa.123.0a0b0c0d.tmp", "half");
  put(there, ".dart-eval-data.json.123.0a0b0c0d.tmp", "half");
  put(there, "refs/.another.fa.123.0a0b0c0d.tmp", "somebody else's");
  await unpackBundle(tar, there);
  expect(listed(there).filter((name) => /(^|\/)\.|lock/.test(name))).toEqual([
    "refs/.another.fa.123.0a0b0c0d.tmp",
  ]);
});
