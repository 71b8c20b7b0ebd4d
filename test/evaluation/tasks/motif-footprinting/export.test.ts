import { beforeAll, describe, expect, test } from "vitest";
import { Pcg64 } from "../../../../src/base/pcg64.ts";
import {
  buildFootprints,
  type FootprintLine,
} from "../../../../src/datasets/motif-footprinting/footprints.ts";
import { readMotifs } from "../../../../src/dna/motifs/meme.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { motifFootprinting } from "../../../../src/evaluation/tasks/motif-footprinting/motif-footprinting.ts";
import type { MotifFootprintingInputs } from "../../../../src/evaluation/tasks/motif-footprinting/rows.ts";
import { scratchFiles } from "../../../scratch-files.ts";
import { oneHot, type TestArray, writeHdf5 } from "../../hdf5-file.ts";

const scratch = scratchFiles();
const ALL = { split: "all", purpose: "evaluate", limit: null } as const;
const rng = new Pcg64(2);
const random = (length: number) => Array.from({ length }, () => "ACGT"[rng.nextUint32() & 3]).join("");
const BACKGROUNDS = Array.from({ length: 5 }, () => random(350));

/** A collection whose motifs have these consensuses, in this order. */
const meme = (motifs: Readonly<Record<string, string>>) =>
  `MEME version 4\n\n${Object.entries(motifs)
    .map(([name, bases]) => {
      const rows = [...bases].map((letter) =>
        [..."ACGT"].map((base) => (base === letter ? "1" : "0")).join(" "),
      );
      return `MOTIF ${name}\nletter-probability matrix: alength= 4 w= ${bases.length}\n${rows.join("\n")}\n\n`;
    })
    .join("")}`;
const MOTIFS = { CTCF: "CCACCAGGGGGCGC", JUN: "TGACTCA", REST: "TTCAGCACCATGGACAGCGCC" };

let collection: string;
let lines: readonly FootprintLine[];
let arrays: Record<string, TestArray>;
let path: string;
beforeAll(async () => {
  collection = await scratch.write("motifs.meme", meme(MOTIFS));
  lines = [...buildFootprints(BACKGROUNDS, (await readMotifs(collection)).motifs)];
  const names = Object.keys(MOTIFS);
  const arrayOf = (keys: (name: string) => RegExp, motifs: readonly string[]): TestArray => ({
    ...oneHot(
      motifs.flatMap((name) => lines.filter(({ key }) => keys(name).test(key)).map((line) => line.sequence)),
    ),
    shape: [motifs.length, 2 * BACKGROUNDS.length, 350, 4],
  });
  arrays = {
    raw: arrayOf(() => /_raw_/, ["raw"]),
    positive: arrayOf((name) => new RegExp(`_${name}_.*_true$`), names),
    shuffled: arrayOf((name) => new RegExp(`_${name}_.*_shuffled$`), names),
  };
  path = scratch.path("data.h5");
  await writeHdf5(path, arrays);
});

describe("data.h5 in place of the footprints", () => {
  test("with the motifs beside it: the same rows, sequences and digest", async () => {
    const plain = await motifFootprinting.open({ footprints: lines }, { seed: 0 });
    // Another order of the collection makes no difference: data.h5 is in the order of names.
    const other = await scratch.write(
      "other.meme",
      meme(Object.fromEntries(Object.entries(MOTIFS).reverse())),
    );
    const task = await motifFootprinting.open({ footprints: path, motifs: other }, { seed: 0 });
    expect(task.digests).toEqual(plain.digests);
    const { rows, inTable } = task.select(ALL);
    expect(inTable).toBe(30);
    expect(await task.examples(rows.slice())).toEqual(await plain.examples(plain.select(ALL).rows.slice()));
  });

  test("alone: motifs are numbered, and the numbers are the same", async () => {
    const model = {
      name: "A",
      logLikelihood: (some: readonly string[]) => some.map((bases) => bases.split("CA").length),
    };
    const ask = (footprints: MotifFootprintingInputs["footprints"]) =>
      evaluate({ task: "motif-footprinting", inputs: { footprints }, model });
    const [fromFile, fromLines] = [await ask(path), await ask(lines)];
    expect(fromFile.published).toEqual(fromLines.published);
    expect(fromFile.metrics[0]).toEqual(fromLines.metrics[0]);
    expect([...new Set(fromFile.predictions.map(({ facts }) => facts.motif))]).toEqual([
      "motif-0001",
      "motif-0002",
      "motif-0003",
    ]);
  });
});

describe("refused", () => {
  const openChanged = async (name: string, change: Record<string, TestArray>, motifs?: string) => {
    const footprints = scratch.path(`${name}.h5`);
    await writeHdf5(footprints, { ...arrays, ...change });
    return motifFootprinting.open({ footprints, ...(motifs === undefined ? {} : { motifs }) }, { seed: 0 });
  };

  test("motifs that are not those of the file", async () => {
    const two = await scratch.write("two.meme", meme({ CTCF: MOTIFS.CTCF, JUN: MOTIFS.JUN }));
    await expect(openChanged("two", {}, two)).rejects.toThrow(/the collection has 2 motifs, and .* has 3/);
    const wrong = await scratch.write("wrong.meme", meme({ ...MOTIFS, JUN: "TGACGTCA" }));
    await expect(openChanged("wrong", {}, wrong)).rejects.toThrow(/the consensus of JUN is TGACGTCA/);
  });

  test("motifs for footprints that name theirs", async () => {
    await expect(
      motifFootprinting.open({ footprints: lines, motifs: collection }, { seed: 0 }),
    ).rejects.toThrow(/already name theirs/);
  });

  test("arrays that do not fit each other, strands apart, positions without a base", async () => {
    const { raw, positive, shuffled } = arrays as Record<"raw" | "positive" | "shuffled", TestArray>;
    const fewer = { ...shuffled, shape: [2, 10, 350, 4], data: shuffled.data.slice(0, 2 * 10 * 350 * 4) };
    await expect(openChanged("fewer", { shuffled: fewer })).rejects.toThrow(
      /has shape \[2, 10, 350, 4\]; raw has/,
    );
    const size = 350 * 4;
    const turned = { ...raw, data: [...raw.data.slice(size), ...raw.data.slice(0, size)] };
    await expect(openChanged("turned", { raw: turned })).rejects.toThrow(
      /sequence 1 is not the reverse complement of sequence 0/,
    );
    const gap = { ...positive, data: positive.data.map((value, i) => (i < 4 ? 0 : value)) };
    await expect(openChanged("gap", { positive: gap })).rejects.toThrow(
      /position 0 of sequence 0 of entry 0 has no base/,
    );
  });
});
