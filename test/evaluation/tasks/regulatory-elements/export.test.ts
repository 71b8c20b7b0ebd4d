import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Pcg64 } from "../../../../src/base/pcg64.ts";
import { genomeInMemory } from "../../../../src/dna/genome/genome.ts";
import { sequenceOf } from "../../../../src/dna/sequence/encoding.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { regulatoryElements } from "../../../../src/evaluation/tasks/regulatory-elements/regulatory-elements.ts";
import type { RegulatoryElementsInputs } from "../../../../src/evaluation/tasks/regulatory-elements/rows.ts";
import type { OpenTask } from "../../../../src/evaluation/tasks/task.ts";
import { openModel } from "../../../../src/models/open-model.ts";
import { scratchFiles } from "../../../scratch-files.ts";
import { oneHot, type TestArray, writeHdf5 } from "../../hdf5-file.ts";

const scratch = scratchFiles();
const LENGTH = 9000;
const NAMES = ["chr1", "chr6", "chr5", "chrM"];
const SPLITS = ["train", "val", "test"] as const;
const rng = new Pcg64(5);
const genome = genomeInMemory(
  "made up",
  new Map(
    NAMES.map((name) => [
      name,
      Array.from({ length: LENGTH }, () => "ACGTN"[Math.floor(rng.nextFloat64() * 4.01)]).join(""),
    ]),
  ),
);
/** Rows of the splits and of a chromosome of none in turn; the first ones begin before their chromosome. */
const elements = Array.from({ length: 60 }, (_, index) => {
  const inputStart = 131 * index - 20;
  return {
    index,
    chrom: NAMES[index % 4],
    inputStart,
    inputEnd: inputStart + 350,
    elementStart: inputStart + 60,
    elementEnd: inputStart + 300,
    relativeStart: 60,
    relativeEnd: 300,
    reverseComplement: index % 3 === 0,
  };
});

const rowsOf = (task: OpenTask, split: (typeof SPLITS)[number] | "all") =>
  task.select({ split, purpose: "evaluate", limit: null }).rows.slice();

/** The original's export: element and control of each row of a split. */
async function arraysOf(task: OpenTask): Promise<Record<string, TestArray>> {
  const arrays: Record<string, TestArray> = {};
  for (const split of SPLITS) {
    const examples = await task.examples(rowsOf(task, split));
    const member = (place: 0 | 1) =>
      oneHot(examples.map(({ sequences, codes }) => (codes ? sequenceOf(codes[place]) : sequences[place])));
    arrays[`${split}/seqs`] = member(0);
    arrays[`${split}/ctrls`] = member(1);
    arrays[`${split}/idxs`] = {
      type: "uint32",
      shape: [examples.length],
      data: examples.map(({ row }) => row),
    };
  }
  return arrays;
}

let plain: OpenTask;
let arrays: Record<string, TestArray>;
let path: string;
beforeAll(async () => {
  plain = await regulatoryElements.open({ elements, genome }, { seed: 0 });
  arrays = await arraysOf(plain);
  path = scratch.path("data.h5");
  await writeHdf5(path, arrays);
});
afterAll(() => plain.close());

describe("data.h5 in place of table and genome", () => {
  test("the same rows, bases, codes and numbers of unknown bases", async () => {
    const task = await regulatoryElements.open({ elements: path }, { seed: 0 });
    let unknown = 0;
    for (const split of SPLITS) {
      // Not all of them, and not in the order of the file.
      const asked = (of: OpenTask) =>
        of.examples(
          rowsOf(of, split)
            .filter((_, i) => i % 4 !== 1)
            .toReversed(),
        );
      const [ours, theirs] = [await asked(plain), await asked(task)];
      expect(theirs.length).toBeGreaterThan(10);
      expect(theirs.map(({ facts: _, ...row }) => row)).toEqual(ours.map(({ facts: _, ...row }) => row));
      theirs.forEach(({ facts }, i) => {
        expect(facts).toEqual({ unknown: ours[i].facts.unknown, same: ours[i].facts.same });
        unknown += Number(facts.unknown);
      });
    }
    expect(unknown).toBeGreaterThan(3);
    const { rows, inTable, perChromosome } = task.select({ split: "all", purpose: "evaluate", limit: 7 });
    expect([rows.length, inTable]).toEqual([7, 45]);
    expect([...perChromosome]).toEqual([
      ["train", 15],
      ["val", 15],
      ["test", 15],
    ]);
    await task.close();
  });

  test("the same numbers, with intervals over rows, and a note that says so", async () => {
    const model = {
      name: "A",
      logLikelihood: (some: readonly string[]) => some.map((bases) => bases.split("TA").length),
    };
    const ask = (inputs: RegulatoryElementsInputs) =>
      evaluate({ task: "regulatory-elements", inputs, model });
    const [fromTable, fromFile] = [await ask({ elements, genome }), await ask({ elements: path })];
    expect(fromFile.published).toEqual(fromTable.published);
    // The p-value rests on blocks, of which a file without positions has one per row.
    const values = ({ metrics }: typeof fromFile) =>
      metrics.filter(({ name }) => !name.endsWith("-p")).map(({ value }) => value);
    expect(values(fromFile)).toEqual(values(fromTable));
    expect(fromFile.metrics[0].intervals[0].method).toMatch(/^row-/);
    expect(fromFile.notes.join(" ")).toContain("assume independent rows");
    expect(fromFile.notes.join(" ")).not.toContain("stretches of 1 Mb");
    expect(fromFile.counts).not.toHaveProperty("genomicBlocks");
  });

  test("a network trained on it is the one trained on table and genome", async () => {
    const model = await openModel("probing-head-like", { device: "cpu" });
    const ask = (inputs: RegulatoryElementsInputs) =>
      evaluate({
        task: "regulatory-elements",
        inputs,
        model,
        setting: "ab-initio",
        recipe: { epochs: 1, batchSize: 8 },
      });
    const [fromTable, fromFile] = [await ask({ elements, genome }), await ask({ elements: path })];
    expect(fromFile.counts.rows).toBe(15);
    expect(fromFile.published.test_loss).not.toBeNull();
    expect(fromFile.published).toEqual(fromTable.published);
  });

  test("classified pairs form blocks of both members, with a note on independent rows", async () => {
    const predictions = Array.from({ length: 40 }, (_, row) => ({
      kind: "logits" as const,
      row,
      logits: [
        [0, (row % 3) - 0.5],
        [0, (row % 5) - 2.5],
      ],
      facts: { unknown: 0, same: 0 } as const,
    }));
    const { measure } = regulatoryElements.settings.probed;
    const context = { protocol: "corrected", seed: 0, rowsInTable: 45 } as const;
    const { metrics, notes, counts } = await measure!(predictions, {
      ...context,
      recipe: { evaluationBatchSize: 8 },
    });
    expect(metrics[0].intervals[0].method).toMatch(/^row-/);
    expect(notes.join(" ")).toContain("assume independent rows");
    expect(counts).not.toHaveProperty("genomicBlocks");
  });
});

describe("refused", () => {
  const openChanged = async (name: string, change: Record<string, TestArray>) => {
    const file = scratch.path(`${name}.h5`);
    await writeHdf5(file, { ...arrays, ...change });
    return regulatoryElements.open({ elements: file }, { seed: 0 });
  };

  test("another seed: the controls are shuffled already", async () => {
    await expect(regulatoryElements.open({ elements: path }, { seed: 1 })).rejects.toThrow(
      /controls in data.h5 were shuffled with seed 0, not 1/,
    );
  });

  test("a row twice, and windows of another task", async () => {
    const idxs = arrays["test/idxs"];
    const twice = { ...idxs, data: [idxs.data[1], ...idxs.data.slice(1)] };
    await expect(openChanged("twice", { "test/idxs": twice })).rejects.toThrow(/two entries are row/);
    const short = oneHot(idxs.data.map(() => "ACGT"));
    await expect(openChanged("short", { "test/seqs": short })).rejects.toThrow(/have 4 bases; expected 350/);
  });

  test("the data.h5 of a task that has no controls", async () => {
    const file = scratch.path("task3.h5");
    const { "train/ctrls": _, ...rest } = arrays;
    await writeHdf5(file, rest);
    await expect(regulatoryElements.open({ elements: file }, { seed: 0 })).rejects.toThrow(
      /there is no such array/,
    );
  });
});
