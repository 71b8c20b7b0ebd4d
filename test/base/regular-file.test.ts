import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cachedDigest, digestFile, mismatch } from "../../src/base/digest.ts";
import { InputError } from "../../src/base/errors.ts";
import { kindOfPath, makeFolder } from "../../src/base/folder.ts";
import { unpackGzip } from "../../src/base/gzip.ts";
import { readLineLog } from "../../src/base/line-log.ts";
import { bytesIfPresent, fileChunks, openFile, textIfPresent } from "../../src/base/read-file.ts";
import { readTar } from "../../src/base/tar-file.ts";
import { textLines } from "../../src/base/text-lines.ts";
import { writeFileAtomic } from "../../src/base/write-file.ts";
import { readBam } from "../../src/dna/genome/bam.ts";
import { openBigWig } from "../../src/dna/genome/bigwig.ts";
import { openGenome } from "../../src/dna/genome/genome.ts";
import { readSuite } from "../../src/evaluation/suites/read-suite.ts";
import { importModel } from "../../src/models/external/module-model.ts";
import { openModel } from "../../src/models/open-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const all = async (items: AsyncIterable<unknown>) => {
  for await (const _ of items);
};

/** All readers of files by path. */
const READERS: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  textIfPresent,
  bytesIfPresent,
  digestFile,
  cachedDigest: (path) => cachedDigest(path),
  mismatch: (path) => mismatch(path, { md5: "" }),
  fileChunks: (path) => all(fileChunks(path)),
  textLines: (path) => all(textLines(path)),
  openFile,
  readLineLog: (path) => readLineLog(path, () => {}),
  readTar: (path) => all(readTar(path)),
  unpackGzip: (path) => unpackGzip(path, join(temporaryFolder(), "out")),
  openGenome,
  openBigWig,
  readBam: (path) =>
    readBam(
      path,
      () => {},
      () => {},
    ),
  readSuite,
  importModel,
};

const describing = async (attempt: Promise<unknown>): Promise<string> => {
  const error = await attempt.catch((thrown: unknown) => thrown);
  if (!(error instanceof InputError)) throw error ?? new Error("expected an error");
  return error.describe();
};

const fifo = (path: string) => {
  execFileSync("/usr/bin/env", ["mkfifo", path]);
  return path;
};

test.skipIf(process.platform === "win32").each(Object.entries(READERS))(
  "%s waits for no FIFO and reads no device [needs FIFOs]",
  async (_, read) => {
    expect(await describing(read(fifo(join(temporaryFolder(), "pipe"))))).toMatch(
      /pipe: this is (a FIFO; expected a|not a) regular file/,
    );
    expect(await describing(read("/dev/zero"))).toMatch(
      /zero: this is (a device; expected a|not a) regular file/,
    );
    expect(await kindOfPath("/dev/zero")).toBe("other");
  },
  10_000,
);

test.skipIf(process.platform === "win32")(
  "a model folder with FIFOs is refused at once [needs FIFOs]",
  async () => {
    const folder = temporaryFolder();
    fifo(join(folder, "config.json"));
    expect(await describing(openModel(folder))).toMatch(/config\.json: this is a FIFO/);
    for (const name of ["model.onnx", "model.h5", "model.tsv"]) {
      const path = fifo(join(folder, name));
      expect(await describing(openModel(path))).toMatch(/: this is (a FIFO; expected a|not a) regular file/);
    }
  },
);

test.each(Object.entries({ ...READERS, kindOfPath, makeFolder }))(
  "%s refuses a NUL in a path",
  async (_, read) => {
    expect(await describing(read(join(temporaryFolder(), "a\0b")))).toMatch(
      /a\\0b: a path cannot contain the character NUL$/,
    );
  },
);

test("refuses a NUL in an output path and in a name within a file", async () => {
  const folder = temporaryFolder();
  expect(await describing(writeFileAtomic(join(folder, "a\0b"), "x"))).toContain(
    "cannot contain the character NUL",
  );
  const weights = join(folder, "weights");
  mkdirSync(weights);
  writeFileSync(
    join(weights, "model.safetensors.index.json"),
    JSON.stringify({ weight_map: { x: "a\0.safetensors" } }),
  );
  const { openCheckpoint } = await import("../../src/net/arrays/checkpoint.ts");
  expect(await describing(openCheckpoint(weights))).not.toContain("\0");
});

test("refuses a file above the size limit before reading it", async () => {
  const path = join(temporaryFolder(), "long");
  writeFileSync(path, "x".repeat(1000));
  await expect(bytesIfPresent(path, 999)).rejects.toThrow("the file has 1000 bytes; the limit is 999");
  expect(await bytesIfPresent(path, 1000)).toHaveLength(1000);
});
