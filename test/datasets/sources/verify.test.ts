import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { recordFiles } from "../../../src/datasets/sources/data-record.ts";
import { verifyData } from "../../../src/datasets/sources/verify.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const CCRES = "task_1_ccre/input_data/ENCFF420VPZ.bed";
const YORUBAN = "task_5_variant_effect_prediction/input_data/yoruban.dsqtls.benchmarking.tsv";
const RAW = "task_2_footprinting/processed_data/raw_seqs_350.txt";

function put(folder: string, path: string, text: string) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return { path, bytes: text.length, sha256: sha256Hex(text), from: "here", since: "2024-12-06" };
}

test("an empty folder gives no checks", async () => {
  expect(await verifyData(temporaryFolder())).toEqual([]);
});

test("checks recorded files by digest and known ones by row count", async () => {
  const folder = temporaryFolder();
  const table = ["var.isused\tvar.label", "True\t1", "True\t-1", "False\t1", ""].join("\n");
  await recordFiles(folder, [
    put(folder, CCRES, "chr1\t0\t1\n"),
    put(folder, RAW, `${"ACGT\n".repeat(100)}\n`),
    put(folder, YORUBAN, table),
    { ...put(folder, "refs/gone.fa", "x"), sha256: "0".repeat(64) },
    { path: "refs/lost.fa", bytes: 1, sha256: "0".repeat(64), from: "here", since: "2024-12-06" },
  ]);
  writeFileSync(join(folder, CCRES), "chr1\t0\t2\n");
  const checks = await verifyData(folder);
  const line = ({ path, what, ok, says }: (typeof checks)[number]) =>
    `${ok} ${path.split("/").at(-1)} ${what}: ${says}`;
  expect(checks.map(line)).toEqual([
    `false gone.fa contents: has the SHA-256 ${sha256Hex("x")}; expected ${"0".repeat(64)}`,
    "false lost.fa contents: is missing",
    expect.stringMatching(/^false ENCFF420VPZ.bed contents: has the SHA-256/),
    "true raw_seqs_350.txt contents: as recorded, from here",
    "true yoruban.dsqtls.benchmarking.tsv contents: as recorded, from here",
    "true raw_seqs_350.txt rows: 100",
    "false yoruban.dsqtls.benchmarking.tsv evaluated variants: 2; expected 27,373",
    "false yoruban.dsqtls.benchmarking.tsv evaluated significant variants: 1; expected 560",
  ]);
});
