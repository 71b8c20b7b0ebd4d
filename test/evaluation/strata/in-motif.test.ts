import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { genomeInMemory } from "../../../src/dna/genome/genome.ts";
import type { Motif } from "../../../src/dna/motifs/motif.ts";
import { MotifScanner } from "../../../src/dna/motifs/scanner.ts";
import { BASES } from "../../../src/dna/sequence/encoding.ts";
import { alleleWindows } from "../../../src/dna/sequence/variant.ts";
import { inMotif } from "../../../src/evaluation/strata/genome-values.ts";
import type { RowsToStratify } from "../../../src/evaluation/strata/rows.ts";
import { tableColumn } from "../../../src/evaluation/strata/table-column.ts";
import type { Prediction } from "../../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";
import type { StageProgress } from "../../../src/evaluation/tasks/task.ts";
import { variantEffects } from "../../../src/evaluation/tasks/variant-effects/variant-effects.ts";
import { scratchFiles } from "../../scratch-files.ts";

const scratch = scratchFiles();

/** A motif that fits one word and its reverse complement only. */
const motifOf = (word: string): Motif => ({
  name: word,
  width: word.length,
  probabilities: Float64Array.from(
    [...word].flatMap((base) => Array.from(BASES, (one) => Number(one === base))),
  ),
});

const WORD = "GATTAC";
// With four motifs, one mismatch is not a hit.
const motifs = [WORD, "GGGGGG", "CGCGCG", "GCGCGC"].map(motifOf);
// The word at 100, and at 200 with another base at its fifth position.
const bases = `${"T".repeat(100)}${WORD}${"T".repeat(94)}GATTGC${"T".repeat(100)}`;
const genome = genomeInMemory("memory", new Map([["chr1", bases]]));

const variants = [
  { start: 104, allele1: "A", allele2: "C" },
  { start: 105, allele1: "C", allele2: "CA" },
  { start: 99, allele1: "T", allele2: "G" },
  { start: 106, allele1: "T", allele2: "G" },
  { start: 204, allele1: "G", allele2: "A" },
  { start: 205, allele1: "C", allele2: "A" },
  { start: 2, allele1: "T", allele2: "G" },
];

const rowsOf = (some = variants): RowsToStratify => {
  const predictions = PredictionColumns.of(
    some.map(({ start, allele1, allele2 }, row): Prediction => {
      const facts = { chrom: "chr1", start, end: start + 1, allele1, allele2 };
      return { kind: "likelihood", row, values: [0, 0], facts };
    }),
  );
  const model = { name: "none", identity: null };
  const cell = {
    identityVersion: 1,
    task: "variant-effects",
    taskVersion: 1,
    model,
    setting: "zero-shot",
    protocol: "corrected" as const,
    seed: 0,
    split: "all" as const,
    limit: null,
    recipe: {},
    data: {},
  };
  const rows = { inTable: some.length, selected: some.length, digest: "" };
  return { task: variantEffects, record: { identity: "", cell, rows }, predictions };
};

test("a variant is in a motif if a hit with either allele overlaps it", async () => {
  const stages: StageProgress[] = [];
  const onStage = (stage: StageProgress) => stages.push(stage);
  const { values } = await inMotif(genome, motifs, "motifs.meme").valuesOf(rowsOf(), { onStage });
  expect(stages).toMatchObject([
    { stage: "variants scanned for 4 motifs", done: 7, total: 7, secondsLeft: 0 },
  ]);
  const inside = [true, true, false, false, true, false, false];
  expect(values).toEqual(inside.map((is) => (is ? "in a motif" : "outside motifs")));
});

test("motifs of several widths: the hits of one scan over wide windows", async () => {
  const rng = new Pcg64(8);
  const word = (length: number) =>
    Array.from({ length }, () => BASES[Math.floor(4 * rng.nextFloat64())]).join("");
  const sequence = word(4000);
  const some = Array.from({ length: 300 }, (_, i) => {
    const start = 20 + 13 * i;
    const insertion = i % 3 === 0;
    return { start, allele1: sequence[start], allele2: insertion ? word(3) : word(1) };
  });
  const mixed = Array.from({ length: 20 }, (_, i) => motifOf(word(7 + (i % 4))));
  const positions = mixed.reduce((sum, { width }) => sum + width, 0);
  const chromosome = new TextEncoder().encode(sequence);
  const scanner = new MotifScanner(mixed, { threshold: 0.05 / (2 * positions) });
  const expected = some.map(({ start, allele1, allele2 }) => {
    const windows = alleleWindows(chromosome, { position: start, allele1, allele2 }, 40);
    const hits = [windows.first, windows.second].flatMap((codes, i) => {
      const end = 20 + (i === 0 ? allele1 : allele2).length;
      return scanner.hits([codes]).filter((hit) => hit.start < end && hit.end > 20);
    });
    return hits.length > 0 ? "in a motif" : "outside motifs";
  });
  expect(new Set(expected).size).toBe(2);
  const genome = genomeInMemory("memory", new Map([["chr1", sequence]]));
  const { values } = await inMotif(genome, mixed, "motifs.meme").valuesOf(rowsOf(some));
  expect(values).toEqual(expected);
});

test("a table of variants is matched by position, 1-based, and alleles", async () => {
  const lines = variants.map(({ start, allele1, allele2 }, i) =>
    ["chr1", start + 1, allele1, allele2, i / 100].join("\t"),
  );
  const path = await scratch.write(
    "variants.tsv",
    ["chr\tpos\tallele1\tallele2\tMAF", ...lines.slice(1)].join("\n"),
  );
  const { values, notes } = await (await tableColumn(path, "MAF")).valuesOf(rowsOf());
  expect(values).toEqual([undefined, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06]);
  expect(notes).toEqual(["1 row is not in variants.tsv."]);
});
