import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBackgrounds } from "../../../../src/datasets/motif-footprinting/backgrounds.ts";
import {
  buildFootprints,
  type FootprintLine,
} from "../../../../src/datasets/motif-footprinting/footprints.ts";
import type { SyntheticFiles } from "../../../../src/demo/synthetic/files.ts";
import { openGenome } from "../../../../src/dna/genome/genome.ts";
import { readMotifs } from "../../../../src/dna/motifs/meme.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { motifFootprinting } from "../../../../src/evaluation/tasks/motif-footprinting/motif-footprinting.ts";
import type { MotifFootprintingInputs } from "../../../../src/evaluation/tasks/motif-footprinting/rows.ts";
import { type DistancePrediction, ofKind } from "../../../../src/evaluation/tasks/prediction.ts";
import type { Task } from "../../../../src/evaluation/tasks/task.ts";
import { openKmerMarkov } from "../../../../src/models/baselines/kmer-markov.ts";
import { initCheckpoint } from "../../../../src/models/checkpoints/init.ts";
import { hyenadna } from "../../../../src/models/language/hyenadna.ts";
import { LanguageModel } from "../../../../src/models/language-model.ts";
import { sharedGenome } from "../../../shared-genomes.ts";

const ALL = { split: "all", purpose: "evaluate", limit: null } as const;

const folder = mkdtempSync(join(tmpdir(), "footprinting-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files: SyntheticFiles;
let footprints: readonly FootprintLine[];
beforeAll(async () => {
  files = await sharedGenome({ seed: 0, scale: 0.3 });
  const backgrounds = (await readBackgrounds(files.backgrounds)).slice(0, 30);
  footprints = [...buildFootprints(backgrounds, (await readMotifs(files.motifs)).motifs)];
});

describe("the form", () => {
  test("a row is a background, a motif and a strand, with the members' lines", async () => {
    const task = await motifFootprinting.open({ footprints, families: files.motifFamilies }, { seed: 0 });
    const { rows, inTable } = task.select(ALL);
    expect(inTable).toBe(30 * 20 * 2);
    const at = new Map(footprints.map(({ key, sequence }) => [key, sequence]));
    const examples = await task.examples(rows.slice());
    for (const { sequences, facts } of examples) {
      const { background, motif, strand } = facts;
      expect(sequences).toEqual([
        at.get(`${background}_raw_${strand}`),
        at.get(`${background}_${motif}_${strand}_true`),
        at.get(`${background}_${motif}_${strand}_shuffled`),
      ]);
    }
    expect(new Set(examples.map(({ facts }) => JSON.stringify(facts))).size).toBe(inTable);
    expect(examples[3].facts).toEqual({
      background: 0,
      motif: "REST",
      strand: "reverse",
      family: "Zinc finger, many",
    });
  });

  test("the lines that the original embedded in turn are those of the file", async () => {
    const task = await motifFootprinting.open({ footprints }, { seed: 0 });
    const file = task.sequenceFile!;
    const lines = [...footprints.keys()];
    const placed = await file.at(lines);
    expect(file.lines).toBe(footprints.length);
    expect(placed.map(({ bases }) => bases)).toEqual(footprints.map(({ sequence }) => sequence));
    expect(placed.map(({ row, member }) => file.lineOf(row, member))).toEqual(lines);
  });

  test("refuses invalid inputs", async () => {
    const erased: Task = motifFootprinting;
    await expect(erased.open({}, { seed: 0 })).rejects.toThrow(/needs "footprints"/);
    const other = join(folder, "other.tsv");
    writeFileSync(other, "Motif\tTF family\nAHR.H12CORE.0.P.B\tPAS\n");
    await expect(motifFootprinting.open({ footprints, families: other }, { seed: 0 })).rejects.toThrow(
      /covers none of the 20 motifs/,
    );
    const task = await motifFootprinting.open({ footprints }, { seed: 0 });
    expect(() => task.select({ ...ALL, split: "test" })).toThrow(/has no test split/);
    expect(task.select({ ...ALL, limit: 7 }).rows.length).toBe(7);
  });

  test("annotation and sequences are part of what a run's identity is made of", async () => {
    const digests = async (inputs: MotifFootprintingInputs) =>
      (await motifFootprinting.open(inputs, { seed: 0 })).digests;
    const plain = await digests({ footprints });
    expect(await digests({ footprints, families: files.motifFamilies })).toMatchObject(plain);
    expect(Object.keys(await digests({ footprints, families: files.motifFamilies }))).toEqual([
      "footprints",
      "families",
    ]);
    const fewer = footprints.slice(0, footprints.length / 2);
    expect((await digests({ footprints: fewer })).footprints).not.toBe(plain.footprints);
  });
});

describe("a model trained on the synthetic genome distinguishes motifs from their shuffles", () => {
  const asked = async (order: number) => {
    await using genome = await openGenome(files.genome);
    const model = await openKmerMarkov(`kmer-markov:order=${order}`, {
      genome,
    });
    return evaluate({ task: motifFootprinting, inputs: { footprints }, model });
  };

  test("seven bases of context find most motifs, no context none", async () => {
    const [seven, none] = [await asked(7), await asked(0)];
    expect(seven.metrics[0].intervals[0].low).toBeGreaterThan(0.8);
    expect(seven.metrics[1]).toMatchObject({ name: "motifs-found", value: 18 / 20 });
    // Shuffled bases have the same likelihoods one by one: only the rounding of sums differs.
    expect(none.metrics[1].value).toBe(0);
    expect(none.metrics[0].intervals[0].low).toBeLessThan(0.5);
  });
});

describe("by embedding", () => {
  let model: LanguageModel;
  beforeAll(async () => {
    await initCheckpoint(hyenadna, { preset: "toy", seed: 1, folder: join(folder, "hyenadna") });
    model = await LanguageModel.open(join(folder, "hyenadna"), [hyenadna]);
  });
  afterAll(() => model.close());

  test("predictions include the original's order of vectors, for any part of the rows", async () => {
    const some = footprints.slice(0, footprints.length / 3);
    const ask = async (protocol: "paper" | "corrected", limit: number) =>
      evaluate({
        task: motifFootprinting,
        inputs: { footprints: some },
        model,
        setting: "zero-shot-embedding",
        protocol,
        limit,
      });
    const [paper, corrected, fewer] = [
      await ask("paper", 24),
      await ask("corrected", 24),
      await ask("paper", 6),
    ];
    const values = ({ predictions }: typeof paper) =>
      new Map(ofKind("distance", predictions).map((each) => [each.row, each]));
    for (const [row, { values: inOrder }] of values(corrected)) {
      const other = values(paper).get(row)!;
      const published = other.byVariant!["file-order"]!;
      inOrder.forEach((distance, i) => {
        // [SEP] is in the original's mean, and its sums have seven digits.
        expect(Math.abs(published[i] / distance - 1)).toBeLessThan(0.2);
      });
    }
    // A background is compared with motifs in other backgrounds, which mostly lie much further away.
    const total = (way: (each: DistancePrediction) => readonly number[]) =>
      [...values(paper).values()].reduce((sum, each) => sum + way(each)[0], 0);
    expect(total((each) => each.values)).toBeGreaterThan(3 * total((each) => each.byVariant!["file-order"]!));
    for (const [row, prediction] of values(fewer)) {
      prediction.values.forEach((distance, i) => {
        expect(distance).toBeCloseTo(values(paper).get(row)!.values[i], 5);
      });
    }
    expect(paper.quirks.map(({ label }) => label)).toEqual(["Q2", "Q16", "Q14", "Q15"]);
    expect(corrected.quirks.map(({ label }) => label)).toEqual(["Q16", "Q14", "Q15"]);
  });
});
