import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow } from "../../../src/base/random.ts";
import type { RegulatoryElementRow } from "../../../src/datasets/regulatory-elements/table.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import type { InputsOf } from "../../../src/evaluation/tasks/catalogue.ts";
import type { Model } from "../../../src/models/model.ts";

const CHROMOSOMES = ["chr1", "chr5", "chr6", "chr10"];

/** Inputs of task 1: a genome of random bases, and `rows` elements on four of its chromosomes. */
export async function elementInputs(folder: string, rows = 60) {
  const rng = new Pcg64(7);
  const genome = join(folder, "genome.fa");
  const bases = () => Array.from({ length: 20_000 }, () => "ACGT"[integerBelow(rng, 4)]).join("");
  await writeFile(genome, CHROMOSOMES.map((name) => `>${name}\n${bases()}\n`).join(""));
  const elements = Array.from({ length: rows }, (_, index): RegulatoryElementRow => {
    const start = 100 + 300 * Math.floor(index / CHROMOSOMES.length);
    return {
      index,
      chrom: CHROMOSOMES[index % CHROMOSOMES.length],
      inputStart: start,
      inputEnd: start + 350,
      elementStart: start + 50,
      elementEnd: start + 300,
      relativeStart: 50,
      relativeEnd: 300,
      reverseComplement: false,
    };
  });
  return { genome, elements };
}

/** A model with an irrational score per dinucleotide, whose sums need all digits of a float64. */
export const dinucleotideModel = (name: string, scale: number): Model => ({
  name,
  identity: `${name} 1`,
  logLikelihood: (sequences) =>
    Float64Array.from(sequences, (letters) => {
      let sum = 0;
      for (let i = 0; i < letters.length; i++) {
        sum -= Math.sqrt(scale + letters.charCodeAt(i) + (i % 7)) / (1 + (i % 11));
      }
      return sum;
    }),
});

/** Runs and merges task 1 in a folder. */
export async function smallRun(
  folder: string,
  inputs: InputsOf<"regulatory-elements">,
  request: Omit<RunRequest, "tasks" | "folder">,
): Promise<string> {
  const plan = await planRun({
    tasks: [{ task: "regulatory-elements", inputs }],
    folder,
    timing: false,
    split: "all",
    ...request,
  });
  await runShard(plan);
  await plan.close();
  await mergeRun(folder);
  return folder;
}
