import { expect, test } from "vitest";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import { openGenomeTable, tableRows } from "../../../src/evaluation/tasks/genome-table.ts";

const CHROMOSOMES = ["a", "b", "c"];

/** A table of windows, and whether chromosomes were kept when its rows were read. */
async function readInOrder(chroms: readonly string[]) {
  const genome = genomeInMemory("g", new Map(CHROMOSOMES.map((name, i) => [name, "ACGT"[i].repeat(9)])));
  const kept: (boolean | undefined)[] = [];
  const table = await openGenomeTable({
    task: { name: "windows", inputs: [] },
    genome: {
      ...genome,
      chromosome(name, keepAll) {
        kept.push(keepAll);
        return genome.chromosome(name, keepAll);
      },
    },
    read: async () => tableRows(chroms.map((chrom, index) => ({ index, chrom }))),
    digest: () => ({}),
    place: () => ({ start: 0, end: 9, name: "the window" }),
    exampleOf: ({ index }, bases) => ({ row: index, sequences: [Buffer.from(bases).toString()], facts: {} }),
  });
  const { rows } = table.select({ split: "all", purpose: "evaluate", limit: null });
  const examples = await table.examples(rows.slice());
  expect(examples.map(({ sequences }) => sequences[0][0])).toEqual(
    chroms.map((chrom) => "ACGT"[CHROMOSOMES.indexOf(chrom)]),
  );
  return new Set(kept);
}

test("chromosomes are kept for rows in random order, and only the last one for sorted rows", async () => {
  const sorted = CHROMOSOMES.flatMap((chrom) => new Array<string>(10).fill(chrom));
  expect(await readInOrder(sorted)).toEqual(new Set([false]));
  const random = Array.from({ length: 30 }, (_, i) => CHROMOSOMES[(i * 7) % 3]);
  expect(await readInOrder(random)).toEqual(new Set([true]));
});
