import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { sourceNamed } from "../../../src/datasets/sources/catalogue.ts";
import { readDataRecord, recordFiles } from "../../../src/datasets/sources/data-record.ts";
import { addressText } from "../../../src/datasets/sources/locate.ts";
import { fileOrigin, recordBuilt } from "../../../src/datasets/sources/origin.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const source = sourceNamed("ccres");
const FETCHED = addressText(source.addresses[0]);

/** A data folder with a file of the source's name and a record of its origin. */
async function dataFolder(from: string, contents = "chr1\t1\t351\n") {
  const folder = temporaryFolder();
  const path = join(folder, source.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  const record = { bytes: contents.length, sha256: sha256Hex(contents), since: "2024-01-01T00:00:00Z" };
  await recordFiles(folder, [{ path: source.path, from, ...record }]);
  return { folder, path };
}

test("a fetched file is its source under any name", async () => {
  const { folder, path } = await dataFolder(FETCHED);
  expect(FETCHED).toBe("ENCODE ENCFF420VPZ");
  expect(await fileOrigin(path)).toEqual({ file: "ENCFF420VPZ.bed", source: "ccres" });
  copyFileSync(path, join(folder, "mine.bed"));
  expect(await fileOrigin(join(folder, "mine.bed"))).toEqual({ file: "mine.bed", source: "ccres" });
});

test.each(["found in the folder", "made or put here", "Synapse syn1"])(
  "a file of a source's name with the record %j is custom data",
  async (from) => {
    const { path } = await dataFolder(from);
    expect(await fileOrigin(path)).toEqual({ file: "ENCFF420VPZ.bed" });
  },
);

test("a file changed after fetching is custom data, even at the same size", async () => {
  const { path } = await dataFolder(FETCHED);
  writeFileSync(path, "chr1\t2\t352\n");
  expect(await fileOrigin(path)).toEqual({ file: "ENCFF420VPZ.bed" });
});

test("a file outside a data folder is custom data under any name", async () => {
  const path = join(temporaryFolder(), "ENCFF420VPZ.bed");
  writeFileSync(path, "chr1\t1\t351\n");
  expect(await fileOrigin(path)).toEqual({ file: "ENCFF420VPZ.bed" });
});

test("a built table is of its source until it changes", async () => {
  const { folder } = await dataFolder(FETCHED);
  const table = join(folder, "tables", "elements.tsv");
  mkdirSync(dirname(table));
  writeFileSync(table, "a table\n");
  await recordBuilt(table, "ccres", "dart-eval build regulatory-elements");
  expect(await fileOrigin(table)).toEqual({ file: "elements.tsv", source: "ccres", built: true });
  expect((await readDataRecord(folder)).map(({ path, from }) => [path, from])).toContainEqual([
    "tables/elements.tsv",
    "dart-eval build regulatory-elements, of ccres",
  ]);
  writeFileSync(table, "a tabel\n");
  expect(await fileOrigin(table)).toEqual({ file: "elements.tsv" });
});

test("a build outside a data folder writes no record", async () => {
  const table = join(temporaryFolder(), "elements.tsv");
  writeFileSync(table, "a table\n");
  await recordBuilt(table, "ccres", "dart-eval build regulatory-elements");
  expect(await fileOrigin(table)).toEqual({ file: "elements.tsv" });
});

test("only a table built with published options is of its source", async () => {
  const { folder, path } = await dataFolder(FETCHED, "chr1\t1000\t1350\nchr5\t2000\t2200\n");
  const build = async (name: string, ...options: readonly string[]) => {
    const out = join(folder, name);
    const words = ["build", "regulatory-elements", "--ccres", path, "--out", out];
    expect((await runCommand([...words, ...options])).exitCode).toBe(0);
    return fileOrigin(out);
  };
  expect(await build("elements.tsv")).toEqual({ file: "elements.tsv", source: "ccres", built: true });
  expect(await build("moved.tsv", "--max-jitter", "50")).toEqual({ file: "moved.tsv" });
});
