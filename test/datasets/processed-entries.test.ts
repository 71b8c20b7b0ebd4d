import { expect, test } from "vitest";
import { codesOfEntries, openProcessed, type ProcessedSequences } from "../../src/datasets/processed-data.ts";
import { sequenceOf } from "../../src/dna/sequence/encoding.ts";
import { oneHot, writeHdf5 } from "../evaluation/hdf5-file.ts";
import { scratchFiles } from "../scratch-files.ts";

const scratch = scratchFiles();
const LETTERS = Array.from({ length: 40 }, (_, i) =>
  [...i.toString(4).padStart(3, "0")].map((digit) => "ACGT"[Number(digit)]).join(""),
);
const wanted = [38, 3, 9, 0, 3, 11, 23];

/** An array with one sequence per entry that records its reads. */
async function watched(name: string, chunks?: readonly number[]) {
  const path = scratch.path(`${name}.h5`);
  await writeHdf5(path, {
    "train/seqs": { ...oneHot(LETTERS), ...(chunks === undefined ? {} : { chunks }) },
    "train/ctrls": oneHot(LETTERS),
    "train/idxs": { type: "uint32", shape: [40], data: LETTERS.map((_, i) => i) },
  });
  const data = await openProcessed(path);
  const { element } = data.elements("train").members;
  const reads: string[] = [];
  const sequences: ProcessedSequences = {
    ...element,
    codes(start, end) {
      reads.push(`${start}-${end}`);
      return element.codes(start, end);
    },
  };
  return { data, sequences, reads };
}

test.each([
  ["without chunks, neighbours", undefined, ["0-1", "3-4", "9-10", "11-12", "23-24", "38-39"]],
  ["of one chunk", [12, 2, 4], ["0-12", "23-24", "38-39"]],
] as const)("entries %s are read together, and come in the order wanted", async (_, chunks, expected) => {
  const { data, sequences, reads } = await watched(chunks === undefined ? "plain" : "chunks", chunks);
  await using _closed = data;
  const codes = codesOfEntries(wanted.map((entry) => ({ sequences, entry })));
  expect(codes.map(sequenceOf)).toEqual(wanted.map((entry) => LETTERS[entry]));
  expect(reads).toEqual(expected);
});

test("limits the bases per read", () => {
  const reads: number[] = [];
  const sequences: ProcessedSequences = {
    entries: 40,
    perEntry: 1,
    length: 2 ** 22,
    entriesPerChunk: 40,
    codes(start, end) {
      reads.push(end - start);
      return new Uint8Array((end - start) * 2 ** 22);
    },
  };
  codesOfEntries([0, 1, 3, 4, 5].map((entry) => ({ sequences, entry })));
  expect(reads).toEqual([4, 2]);
});
