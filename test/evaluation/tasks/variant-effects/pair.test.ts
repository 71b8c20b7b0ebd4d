import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readTable } from "../../../../src/base/table.ts";
import { readVariants } from "../../../../src/datasets/variants/read.ts";
import { openGenome } from "../../../../src/dna/genome/genome.ts";
import { modelSequenceOf } from "../../../../src/dna/sequence/encoding.ts";
import { alleleCodes } from "../../../../src/evaluation/tasks/variant-effects/rows.ts";
import { sharedData, testWithSharedData } from "../../../shared-data.ts";

const COLUMNS = [
  "table",
  "idx",
  "pos1",
  "status",
  "zero_rows_1",
  "zero_rows_2",
  "differing_positions",
  "window1",
  "window2",
];
const STATUS = { ok: "ok", ok_ref_mismatch: "neither", "error:ValueError": "refused" } as const;

testWithSharedData(
  "both windows and the status of every golden row",
  "task5/windows.golden.tsv.gz",
  async (golden) => {
    await using genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const tables = new Map<string, Awaited<ReturnType<typeof readVariants>>>();
    const seen = { ok: 0, neither: 0, refused: 0 };
    for await (const { fields } of readTable(golden, COLUMNS)) {
      const [name, idx, pos1, status, zero1, zero2, differing, window1, window2] = fields as string[];
      const table = tables.get(name) ?? (await readVariants(join(dirname(golden), `${name}.tsv`)));
      tables.set(name, table);
      const row = table.rows[Number(idx)];
      expect(row.position + 1).toBe(Number(pos1));
      const pair = alleleCodes(await genome.chromosome(row.chrom), row);
      expect(pair.original).toBe(STATUS[status as keyof typeof STATUS]);
      seen[pair.original]++;
      if (pair.original === "refused") continue;
      expect(modelSequenceOf(pair.allele1)).toBe(window1);
      expect(modelSequenceOf(pair.allele2)).toBe(window2);
      expect(pair.unknown).toBe(Number(zero1));
      expect(pair.allele2.filter((code) => code === 4).length).toBe(Number(zero2));
      const differ = Array.from(pair.allele1.keys()).filter((i) => pair.allele1[i] !== pair.allele2[i]);
      expect(differ.join(",")).toBe(differing);
    }
    expect(seen).toEqual({ ok: 99, neither: 3, refused: 5 });
  },
);

test("pads the window near the chromosome's start, with the original's status", () => {
  const chromosome = new TextEncoder().encode("ACGT".repeat(1000));
  const pair = alleleCodes(chromosome, { position: 4, allele1: "A", allele2: "C" });
  expect(pair).toMatchObject({ original: "refused", reference: 1, unknown: 1053 });
  expect([...pair.allele1.subarray(1053, 1059)]).toEqual([0, 1, 2, 3, 0, 1]);
  expect([...pair.allele2.subarray(1053, 1059)]).toEqual([0, 1, 2, 3, 1, 1]);
});

test("has the original's status at the chromosome's last base and one beyond it", () => {
  const chromosome = new TextEncoder().encode("ACGT".repeat(1000));
  const statusAt = (position: number) =>
    alleleCodes(chromosome, { position, allele1: "T", allele2: "C" }).original;
  expect([3999, 4000].map(statusAt)).toEqual(["ok", "refused"]);
});
