import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CELL_LINES } from "../../src/datasets/cell-lines.ts";
import { openProcessed } from "../../src/datasets/processed-data.ts";
import { oneHot, writeHdf5 } from "../evaluation/hdf5-file.ts";
import { scratchFiles } from "../scratch-files.ts";

const scratch = scratchFiles();
const codes = (text: string) => [...text].map((letter) => "ACGTN".indexOf(letter));

test("Task 1: pairs of each split, unknown bases as zeros", async () => {
  const path = scratch.path("task1.h5");
  await writeHdf5(path, {
    "train/seqs": oneHot(["ACGTN", "TTTTT"]),
    "train/ctrls": oneHot(["TGCAN", "AAAAA"]),
    "train/idxs": { type: "uint32", shape: [2], data: [4, 11] },
  });
  await using data = await openProcessed(path);
  const { members, rows } = data.elements("train");
  expect([...rows]).toEqual([4, 11]);
  expect(members.element).toMatchObject({ entries: 2, perEntry: 1, length: 5 });
  expect([...members.element.codes(0, 2)]).toEqual(codes("ACGTNTTTTT"));
  expect([...members.control.codes(1, 2)]).toEqual(codes("AAAAA"));
  expect(() => data.elements("val")).toThrow(/there is no such array/);
  expect(data.hasCellTypes).toBe(false);
});

test("Task 2: motifs in backgrounds, two leading axes", async () => {
  const path = scratch.path("task2.h5");
  const six = oneHot(["ACG", "CGT", "GTA", "TAC", "AAA", "NNN"]);
  await writeHdf5(path, {
    raw: { ...oneHot(["ACG", "CGT", "GTA"]), shape: [1, 3, 3, 4] },
    positive: { ...six, shape: [2, 3, 3, 4] },
    shuffled: { ...six, shape: [2, 3, 3, 4] },
  });
  await using data = await openProcessed(path);
  const { positive } = data.motifs();
  expect(positive).toMatchObject({ entries: 2, perEntry: 3, length: 3 });
  expect([...positive.codes(1, 2)]).toEqual(codes("TACAAANNN"));
});

test("Task 3: labels by the order of the cell lines", async () => {
  const path = scratch.path("task3.h5");
  await writeHdf5(path, {
    "test/seqs": oneHot(["AC", "GT"]),
    "test/labels": { type: "uint8", shape: [2], data: [4, 0] },
    "test/idxs": { type: "uint32", shape: [2], data: [7, 9] },
  });
  await using data = await openProcessed(path);
  expect(data.hasCellTypes).toBe(true);
  expect(data.cellTypes("test").labels).toEqual([CELL_LINES[4], CELL_LINES[0]]);
});

test("Task 4: peaks and non-peaks of a cell line, with log counts", async () => {
  const path = scratch.path("task4.h5");
  await writeHdf5(path, {
    "K562/val/nonpeaks/seqs": oneHot(["ACGT"]),
    "K562/val/nonpeaks/counts": { type: "float32", shape: [1], data: [1.5] },
    "K562/val/nonpeaks/idxs": { type: "uint32", shape: [1], data: [3] },
  });
  await using data = await openProcessed(path);
  const { counts, members, rows } = data.activity("K562", "val", "nonpeaks");
  expect([[...counts], [...rows], members.sequence.length]).toEqual([[1.5], [3], 4]);
});

test("Task 5: the alleles of each table", async () => {
  const path = scratch.path("task5.h5");
  await writeHdf5(path, {
    "Afr.CaQTLS/allele_1_seqs": oneHot(["ACG", "ACG"]),
    "Afr.CaQTLS/allele_2_seqs": oneHot(["ATG", "ACC"]),
    "Afr.CaQTLS/is_causal": { type: "uint8", shape: [2], data: [1, 0] },
    "Afr.CaQTLS/effect_size": { type: "float32", shape: [2], data: [0.25, -1] },
  });
  await using data = await openProcessed(path);
  expect(data.variantTables()).toEqual(["Afr.CaQTLS"]);
  const { members, used, effectSize } = data.variants("Afr.CaQTLS");
  expect([...members.second.codes(0, 2)]).toEqual(codes("ATGACC"));
  expect([[...used], [...effectSize]]).toEqual([
    [1, 0],
    [0.25, -1],
  ]);
});

describe("errors name the array", () => {
  const good = {
    "test/seqs": oneHot(["AC", "GT"]),
    "test/labels": { type: "uint8", shape: [2], data: [4, 0] },
    "test/idxs": { type: "uint32", shape: [2], data: [7, 9] },
  } as const;
  test.each([
    ["labels", { "test/labels": { type: "uint8", shape: [2], data: [4, 5] } }, /label 5 of entry 1/],
    [
      "one label too few",
      { "test/labels": { type: "uint8", shape: [1], data: [4] } },
      /shape \[1\]; expected \[2\]/,
    ],
    ["one sequence too few", { "test/seqs": oneHot(["AC"]) }, /uint8 \[1, 2, 4\]; expected uint8 \[2, …/],
    [
      "five channels",
      { "test/seqs": { type: "uint8", shape: [2, 1, 5], data: Array(10).fill(0) } },
      /expected uint8/,
    ],
    ["float sequences", { "test/seqs": { ...oneHot(["AC", "GT"]), type: "float32" } }, /float32 \[2, 2, 4\]/],
  ] as const)("%s", async (name, change, message) => {
    const path = scratch.path(`${name}.h5`);
    await writeHdf5(path, { ...good, ...change });
    await using data = await openProcessed(path);
    expect(() => data.cellTypes("test")).toThrow(message);
  });

  test("a position with two ones", async () => {
    const path = scratch.path("two.h5");
    const wrong = oneHot(["AC", "GT"]);
    wrong.data[4 * 3 + 0] = 1;
    await writeHdf5(path, { ...good, "test/seqs": wrong });
    await using data = await openProcessed(path);
    const { element } = data.cellTypes("test").members;
    expect([...element.codes(0, 1)]).toEqual([0, 1]);
    expect(() => element.codes(0, 2)).toThrow(/position 1 of entry 1 is not one-hot/);
  });

  test("a file that is not HDF5", async () => {
    await expect(openProcessed(await scratch.write("x.h5", "seqs"))).rejects.toThrow(/not an HDF5 file/);
  });
});

test.each([
  ["external-storage.h5", /is external storage/],
  ["virtual.h5", /is a virtual dataset/],
  ["external-link.h5", /is a link to another file/],
])("%s: rejects sequences in an external file", async (name, message) => {
  await using data = await openProcessed(fileURLToPath(new URL(`../golden/hdf5/${name}`, import.meta.url)));
  expect(() => data.elements("test")).toThrow(message);
});

test("reads float16 counts", async () => {
  await using data = await openProcessed(fileURLToPath(new URL("../golden/hdf5/half.h5", import.meta.url)));
  expect([...data.activity("K562", "test", "peaks").counts]).toEqual([0.5, 6.25]);
});
