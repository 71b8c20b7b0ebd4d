import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { uniform } from "../../../src/base/random.ts";
import { openGenome } from "../../../src/dna/genome/genome.ts";
import { gcFraction } from "../../../src/dna/sequence/composition.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults, type StoredResult } from "../../../src/evaluation/runs/stored-results.ts";
import { readStrata } from "../../../src/evaluation/strata/strata-file.ts";
import { type StratifyOptions, stratifyRun } from "../../../src/evaluation/strata/stratify.ts";
import type { Model } from "../../../src/models/model.ts";
import { reportDocument } from "../../../src/report/documents.ts";
import { gatherReport } from "../../../src/report/report.ts";
import { scratchFiles } from "../../scratch-files.ts";

// Task 1 on six chromosomes of 20 kb, 60 elements each; the last chromosome has no lower-case base.

const scratch = scratchFiles();
process.env.DART_EVAL_CACHE = scratch.path("cache");

const CHROMOSOMES = ["chr5", "chr9", "chr14", "chr20", "chr21", "chr22"];
const LENGTH = 20_000;
const ELEMENTS = 60;
const run = scratch.path("run");
let genome: string;
let stored: StoredResult;

const rows = CHROMOSOMES.flatMap((chrom, c) =>
  Array.from({ length: ELEMENTS }, (_, i) => {
    const start = 300 * i + 500;
    const end = start + 150 + 5 * ((7 * i) % 30);
    const centre = start + Math.floor((end - start) / 2);
    return {
      index: c * ELEMENTS + i,
      chrom,
      inputStart: centre - 175,
      inputEnd: centre + 175,
      elementStart: start,
      elementEnd: end,
      reverseComplement: i % 2 === 0,
      relativeStart: start - centre + 175,
      relativeEnd: end - centre + 175,
    };
  }),
);

/** Prefers sequences that begin with A or C: about as good as chance. */
const model: Model = {
  name: "first base",
  identity: "first base",
  scoreRounding: 0,
  logLikelihood: (sequences) => sequences.map((text) => -1 - "ACGT".indexOf(text[160])),
};

beforeAll(async () => {
  const rng = new Pcg64(1);
  const sequences = CHROMOSOMES.map((name, c) => {
    const bases = Array.from({ length: LENGTH }, (_, i) => {
      const base = "ACGT"[Math.floor(uniform(rng) * 4)];
      return c < 5 && i % 1000 < 200 ? base.toLowerCase() : base;
    });
    return `>${name}\n${bases.join("")}\n`;
  });
  genome = await scratch.write("genome.fa", sequences.join(""));
  const inputs = { elements: rows, genome };
  const plan = await planRun({
    tasks: [{ task: "regulatory-elements", inputs }],
    models: [model],
    split: "all",
    folder: run,
    timing: false,
  });
  await runShard(plan);
  await plan.close();
  await mergeRun(run);
  [stored] = (await readResults(run)) as [StoredResult];
}, 60_000);

async function stratified(options: StratifyOptions) {
  const { cells, notes } = await stratifyRun(run, options);
  const table = (await readFile(join(stored.folder, "strata.tsv"), "utf8")).replace(/\n$/, "").split("\n");
  return { strata: cells[0].strata, notes, table: table.map((line) => line.split("\t")) };
}

test("a stratum of all rows has the estimate of the cell, and is read back", async () => {
  const bed = await scratch.write(
    "all.bed",
    CHROMOSOMES.map((chrom) => `${chrom}\t0\t${LENGTH}\tall`).join("\n"),
  );
  const { strata } = await stratified({ by: [`${bed}:4`] });
  const { name, rows, value, interval } = strata.stratifications[0].strata[0];
  const main = stored.result.metrics[0];
  expect({ name, rows, value }).toEqual({ name: "all", rows, value: main.value });
  expect(rows).toBe(stored.result.rows.selected);
  expect(interval).toEqual(main.intervals[0]);
  expect(await readStrata(stored)).toEqual(strata);
});

test("the strata of a task partition its rows; without --by, those whose files are given", async () => {
  const { strata, notes, table } = await stratified({ files: { genome } });
  expect(strata.stratifications.map(({ name }) => name)).toEqual(["gc", "repeats", "chromosome"]);
  expect(notes).toEqual(["ccre-class is left out: it needs --ccres.", "tss is left out: it needs --tss."]);
  for (const { strata: parts, unknown, shared } of strata.stratifications) {
    expect(parts.reduce((sum, part) => sum + part.rows, unknown)).toBe(rows.length);
    expect(shared).toBe(0);
  }
  expect(table.slice(1).map(([row]) => Number(row))).toEqual(rows.map(({ index }) => index));
  const [gc] = strata.stratifications;
  for (const [column, { name, strata: parts }] of strata.stratifications.entries()) {
    expect(table[0][column + 1]).toBe(name);
    for (const part of parts) {
      expect(table.filter((line) => line[column + 1] === part.name).length).toBe(part.rows);
    }
  }
  await using open = await openGenome(genome);
  for (const { index, chrom, elementStart: start, elementEnd: end } of rows.slice(0, 50)) {
    const value = gcFraction(await open.sequence({ chrom, start, end }));
    const bin = gc.strata.find(({ from, to }) => value >= (from ?? 0) && value < (to ?? 2))!;
    expect(table[index + 1][1]).toBe(bin.name);
  }
});

test("repeats are shares of lower-case bases; an unmasked chromosome is unknown", async () => {
  const { strata, table } = await stratified({ by: ["repeats"], files: { genome } });
  const shareOf = ({ elementStart, elementEnd }: (typeof rows)[number]) =>
    Array.from({ length: elementEnd - elementStart }, (_, i) => (elementStart + i) % 1000 < 200).filter(
      Boolean,
    ).length /
    (elementEnd - elementStart);
  rows.forEach((row, i) => {
    const share = shareOf(row);
    const expected = share === 0 ? "no repeat" : share < 0.5 ? "less than half" : "half or more";
    expect(table[i + 1][1]).toBe(row.chrom === "chr22" ? "" : expected);
  });
  const [{ unknown, notes }] = strata.stratifications;
  expect(unknown).toBe(ELEMENTS);
  expect(notes).toEqual(["genome.fa is not soft-masked on chr22: no lower-case base."]);
});

test("a chromosome is one block: its stratum has no metric", async () => {
  const { strata } = await stratified({ by: ["chromosome"] });
  expect(
    strata.stratifications[0].strata.map(({ name, rows, value, suppressed }) => [
      name,
      rows,
      value,
      suppressed,
    ]),
  ).toEqual(CHROMOSOMES.map((chrom) => [chrom, ELEMENTS, null, "1 block"]));
});

describe("columns of tables", () => {
  test("are matched by interval; numbers are binned by edges", async () => {
    const lines = rows.map(({ chrom, elementStart, elementEnd, index }) =>
      [chrom, elementStart, elementEnd, index % 3 === 0 ? "NA" : index / 1000].join("\t"),
    );
    const path = await scratch.write("scores.tsv", ["chrom\tstart\tend\tscore", ...lines].join("\n"));
    const { strata, table } = await stratified({
      by: [`${path}:score`],
      edges: { [`${path}:score`]: [0.05, 0.2] },
    });
    const [{ strata: bins, unknown }] = strata.stratifications;
    expect(bins.map(({ name }) => name)).toEqual(["< 0.05", "0.05 to 0.2", "≥ 0.2"]);
    expect(unknown).toBe(rows.length / 3);
    expect(table[51]).toEqual(["50", "0.05 to 0.2"]);
    expect(table[1]).toEqual(["0", ""]);
  });

  test("are matched by row number; texts are names", async () => {
    const lines = rows.slice(0, 300).map(({ index }) => `${index}\t${index < 100 ? "early" : "late"}`);
    const path = await scratch.write("names.tsv", ["row\tphase", ...lines].join("\n"));
    const { strata } = await stratified({ by: [`${path}:phase`] });
    const [{ strata: parts, notes, unknown }] = strata.stratifications;
    expect(parts.map(({ name, rows }) => [name, rows])).toEqual([
      ["early", 100],
      ["late", 200],
    ]);
    expect([unknown, notes]).toEqual([60, ["60 rows are not in names.tsv."]]);
  });
});

test("cCRE classes of ENCODE are recognised in any column", async () => {
  const classes = ["PLS", "pELS,CTCF-bound", "CTCF-only,CTCF-bound"];
  const lines = rows.map(({ chrom, elementStart, elementEnd, index }) =>
    [chrom, elementStart, elementEnd, "EH38", "0", ".", ".", ".", "0,0,0", classes[index % 3]].join("\t"),
  );
  const ccres = await scratch.write("ccres.bed", lines.join("\n"));
  const { strata } = await stratified({ by: ["ccre-class"], files: { ccres } });
  expect(strata.stratifications[0].strata.map(({ name, rows }) => [name, rows])).toEqual([
    ["promoter-like", 120],
    ["proximal enhancer-like", 120],
    ["CTCF only", 120],
  ]);
});

test("distances to start sites are binned at 200, 2,000 and 20,000 bases", async () => {
  const tss = await scratch.write("tss.bed", CHROMOSOMES.map((chrom) => `${chrom}\t650\t651`).join("\n"));
  const { strata, table } = await stratified({ by: ["tss"], files: { tss } });
  expect(strata.stratifications[0].strata.map(({ name }) => name)).toEqual([
    "< 200",
    "200 to 2,000",
    "2,000 to 20,000",
    "≥ 20,000",
  ]);
  expect(table.slice(1, 9).map(([, name]) => name)).toEqual(
    rows.slice(0, 8).map(({ elementStart }) => (elementStart - 650 < 200 ? "< 200" : "200 to 2,000")),
  );
});

test("the report has a table per stratification", async () => {
  await stratified({ by: ["gc", "chromosome"], files: { genome } });
  const text = reportDocument(await gatherReport(await readResults(run), { published: [] }), "text");
  expect(text).toContain("paired accuracy ↑ by GC content");
  expect(text).toContain("Too small: 6 strata: 1 block.");
});

describe("errors", () => {
  const refused = async (options: StratifyOptions) =>
    (await stratifyRun(run, options).catch((error) => error)).describe();

  test("another genome than the run's", async () => {
    const other = await scratch.write(
      "other.fa",
      CHROMOSOMES.map((name) => `>${name}\n${"A".repeat(LENGTH)}\n`).join(""),
    );
    expect(await refused({ by: ["gc"], files: { genome: other } })).toMatch(/this is not the genome of/);
  });

  test("an unknown name, with the known ones", async () => {
    expect(await refused({ by: ["gcc"] })).toMatch(
      /no stratification "gcc"[\s\S]*did you mean gc\?.*chromosome, gc/,
    );
  });

  test("edges of a property that is not used", async () => {
    const edges = { gcc: [0.5] };
    expect(await refused({ by: ["chromosome"], edges })).toMatch(
      /edges are given for "gcc", which is not used[\s\S]*chromosome/,
    );
    expect(await refused({ edges })).toMatch(/did you mean gc\?/);
  });

  test("a genome that does not exist", async () => {
    await expect(stratifyRun(run, { by: ["gc"], files: { genome: `${genome}.gz` } })).rejects.toThrow(
      "no such file or folder",
    );
  });

  test("a missing file", async () => {
    expect(await refused({ by: ["tss"] })).toMatch("tss needs --tss FILE");
  });

  test("a property of other rows", async () => {
    expect(await refused({ by: ["tf-family"] })).toMatch(
      /tf-family applies to no cell[\s\S]*rows have no motifs/,
    );
  });

  test("other names of chromosomes", async () => {
    const bed = await scratch.write("numbers.bed", "5\t0\t1000\tx\n");
    expect(await refused({ by: [`${bed}:4`] })).toMatch(
      /none of the rows' chromosomes: it has 5, the rows begin with chr5/,
    );
  });

  test("a missing column", async () => {
    const path = await scratch.write("columns.tsv", "row\tx\n0\t1\n");
    expect(await refused({ by: [`${path}:y`] })).toMatch(
      /columns\.tsv:1: there is no column "y"; the header names row, x/,
    );
  });

  test("a table without columns that identify rows", async () => {
    const path = await scratch.write("keys.tsv", "gene\tx\na\t1\n");
    expect(await refused({ by: [`${path}:x`] })).toMatch(/no columns identify rows among gene, x/);
  });
});
