import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { BigWig } from "@gmod/bbi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestFile, sha256Hex } from "../../../src/base/digest.ts";
import { InputError } from "../../../src/base/errors.ts";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import { readRegulatoryElements } from "../../../src/datasets/regulatory-elements/table.ts";
import { type SyntheticGenome, writeSyntheticGenome } from "../../../src/demo/synthetic/write.ts";
import { readBed, readNarrowPeaks } from "../../../src/dna/genome/bed.ts";
import { splitPartOf } from "../../../src/dna/genome/chromosome-split.ts";
import { type Genome, openGenome } from "../../../src/dna/genome/genome.ts";

const SCALE = 0.1;
let parent: string;
let made: SyntheticGenome;
let genome: Genome;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "synthetic-"));
  made = await writeSyntheticGenome(join(parent, "one"), { seed: 0, scale: SCALE });
  genome = await openGenome(made.files.genome);
});
afterAll(async () => {
  await genome.close();
  await rm(parent, { recursive: true, force: true });
});

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

async function table(path: string): Promise<Record<string, string>[]> {
  const [header, ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
  const columns = header.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((cell, i) => [columns[i], cell])));
}

/** Every file below a folder with its digest. */
async function digests(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = new Map<string, string>();
  for (const path of paths.sort())
    found.set(relative(folder, path).replaceAll("\\", "/"), await digestFile(path));
  return found;
}

describe("synthetic genome on disk", () => {
  test("equal seeds give byte-identical files on every machine, other seeds do not", async () => {
    const first = await digests(made.folder);
    await writeSyntheticGenome(join(parent, "two"), { seed: 0, scale: SCALE });
    expect(await digests(join(parent, "two"))).toEqual(first);
    const together = sha256Hex(Array.from(first, ([path, digest]) => `${digest}  ${path}\n`).join(""));
    // A change requires a new version in truth.json.
    expect(together).toBe("f001aa497dd90bce66a7fa62385cd4816212aa3c00163c4d1467b67111358a52");
    expect(first.size).toBe(50);

    const other = await writeSyntheticGenome(join(parent, "three"), { seed: 1, scale: SCALE });
    const others = await digests(other.folder);
    const same = Array.from(first.keys()).filter((path) => others.get(path) === first.get(path));
    expect(same.sort()).toEqual(["genome.fa.fai", "motifs.meme", "motifs.tsv"]);
  });

  test("the FASTA file has the sequence, repeats in lower case, and a matching index", async () => {
    expect(Array.from(genome.chromosomes)).toEqual(
      made.chromosomes.map(({ name, codes }) => [name, codes.length]),
    );
    for (const { name, codes } of made.chromosomes) {
      const expected = Buffer.from(codes.map((code) => "ACGTN".charCodeAt(code)));
      expect(Buffer.compare(await genome.chromosome(name), expected)).toBe(0);
    }
    const text = await readFile(made.files.genome, "latin1");
    const lower = made.chromosomes.reduce((sum, { masked }) => sum + masked.reduce((a, b) => a + b, 0), 0);
    expect(text.replace(/>.*\n/g, "").match(/[acgt]/g)!.length).toBe(lower);

    // The index equals one built from the FASTA file.
    const copy = join(parent, "copy.fa");
    await writeFile(copy, text, "latin1");
    const again = await openGenome(copy);
    expect(await again.digest()).toBe(await genome.digest());
    await again.close();
    expect(await readFile(`${copy}.fai`, "utf8")).toBe(await readFile(`${made.files.genome}.fai`, "utf8"));
  });

  test("all three splits have elements, and Task 1's table has a row for each", async () => {
    const bed = await collect(readBed(made.files.elements, { genome }));
    expect(bed.map(({ chrom, start, end, columns }) => [chrom, start, end, columns[3], columns[6]])).toEqual(
      made.elements.map(({ chrom, start, end, id, kind }) => [chrom, start, end, id, kind]),
    );
    const rows = await readRegulatoryElements(made.files.regulatoryElements, { genome });
    expect(rows.map(({ chrom, elementStart, elementEnd }) => [chrom, elementStart, elementEnd])).toEqual(
      made.elements.map(({ chrom, start, end }) => [chrom, start, end]),
    );
    expect(new Set(rows.map(({ chrom }) => splitPartOf(chrom)))).toEqual(new Set(["train", "val", "test"]));
  });

  test("100 backgrounds, or as many as there are elements, of 350 bases", async () => {
    const lines = (await readFile(made.files.backgrounds, "utf8")).trimEnd().split("\n");
    expect(lines.length).toBe(Math.min(100, made.elements.length));
    for (const line of lines) expect(line).toMatch(/^[ACGT]{350}$/);
    expect(new Set(lines).size).toBe(lines.length);
  });

  test.each(CELL_LINES)(
    "%s: peaks lie at elements, confident ones among them, non-peaks where no peak is",
    async (cell) => {
      const files = made.files.cellLines[cell];
      const peaks = await collect(readNarrowPeaks(files.peaks, { genome }));
      const confident = await collect(readNarrowPeaks(files.confidentPeaks, { genome }));
      const nonPeaks = await collect(readBed(files.nonPeaks, { genome }));
      expect(peaks.length).toBeGreaterThan(30);
      expect(confident.length).toBeGreaterThan(peaks.length / 3);
      expect(nonPeaks.length).toBeGreaterThan(peaks.length / 3);
      for (const { chrom, start, summit } of peaks) {
        expect(made.elements.some((e) => e.chrom === chrom && Math.abs(start + summit - e.centre) < 50)).toBe(
          true,
        );
      }
      const summits = new Set(peaks.map(({ chrom, start, summit }) => `${chrom}:${start + summit}`));
      for (const { chrom, start, summit, qValue } of confident) {
        expect(summits.has(`${chrom}:${start + summit}`)).toBe(true);
        expect(qValue).toBeGreaterThanOrEqual(10);
      }
      for (const { chrom, start, end } of nonPeaks) {
        expect(end - start).toBe(2114);
        expect(peaks.some((peak) => peak.chrom === chrom && peak.start < end && peak.end > start)).toBe(
          false,
        );
        expect(await genome.sequence({ chrom, start, end })).not.toContain("N");
      }
    },
  );

  test.each(CELL_LINES)(
    "%s: task 4's tables are the windows around the summits, inside their chromosomes",
    async (cell) => {
      const files = made.files.cellLines[cell];
      const peaks = await collect(readNarrowPeaks(files.peaks));
      const rows = await table(files.peaksTable);
      expect(rows.map((row) => [row.chr, Number(row.input_start)])).toEqual(
        peaks.map(({ chrom, start, summit }) => [chrom, start + summit - 1057]),
      );
      const nonPeaks = await collect(readBed(files.nonPeaks));
      const nonPeakRows = await table(files.nonPeaksTable);
      expect(nonPeakRows.map((row) => [row.chr, Number(row.input_start)])).toEqual(
        nonPeaks.map(({ chrom, start }) => [chrom, start]),
      );
      for (const row of [...rows, ...nonPeakRows, ...(await table(files.confidentPeaksTable))]) {
        const [start, end] = [Number(row.input_start), Number(row.input_end)];
        expect(end - start).toBe(2114);
        expect([Number(row.elem_start) - start, Number(row.elem_end) - start]).toEqual([557, 1557]);
        expect([row.elem_relative_start, row.elem_relative_end]).toEqual(["557", "1557"]);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(genome.chromosomes.get(row.chr)!);
      }
    },
  );

  test("signal files have whole cuts, many in peaks and few in non-peaks", async () => {
    for (const cell of CELL_LINES) {
      const files = made.files.cellLines[cell];
      const signal = new BigWig({ path: files.signal });
      const cutsIn = async (row: Record<string, string>) => {
        const features = await signal.getFeatures(row.chr, Number(row.elem_start), Number(row.elem_end));
        expect(features.every(({ score }) => Number.isInteger(score) && score! > 0)).toBe(true);
        return features.reduce((sum, { start, end, score }) => sum + (end - start) * score!, 0);
      };
      const mean = async (rows: Record<string, string>[]) => {
        let sum = 0;
        for (const row of rows) sum += await cutsIn(row);
        return sum / rows.length;
      };
      expect(await mean(await table(files.nonPeaksTable))).toBeLessThan(20);
      expect(await mean(await table(files.confidentPeaksTable))).toBeGreaterThan(60);
    }
  });

  test("Task 3's table has five classes of windows of 500 bases around summits of their line", async () => {
    const rows = await table(made.files.cellTypePeaks);
    expect(new Set(rows.map(({ label }) => label))).toEqual(new Set(CELL_LINES));
    const summits = new Map<string, Set<string>>();
    for (const cell of CELL_LINES) {
      const peaks = await collect(readNarrowPeaks(made.files.cellLines[cell].peaks));
      summits.set(cell, new Set(peaks.map(({ chrom, start, summit }) => `${chrom}:${start + summit}`)));
    }
    for (const row of rows) {
      const start = Number(row.input_start);
      expect([row.input_end, row.elem_start, row.elem_end]).toEqual([
        String(start + 500),
        row.input_start,
        row.input_end,
      ]);
      expect(row.is_peak).toBe("True");
      expect(summits.get(row.label)!.has(`${row.chr}:${start + 250}`)).toBe(true);
    }
  });

  test("the count matrix has three samples per line, whole numbers", async () => {
    const [header, ...lines] = (await readFile(made.files.countsMatrix, "utf8")).trimEnd().split("\n");
    expect(header).toBe(
      ["peak", ...CELL_LINES.flatMap((cell) => [1, 2, 3].map((i) => `${cell}_${i}`))].join(","),
    );
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) expect(line).toMatch(/^chr[0-9XY]+:\d+-\d+(,\d+){15}$/);
  });

  test("truth.json has the parameters and is written last", async () => {
    const truth = JSON.parse(await readFile(made.files.truth, "utf8"));
    expect(truth).toMatchObject({ seed: 0, scale: SCALE, elements: made.elements.length });
    expect(truth.chromosomes).toEqual(Object.fromEntries(genome.chromosomes));
    expect((await table(made.files.trueElements)).length).toBe(made.elements.length);
    expect((await table(made.files.trueSites)).length).toBe(
      made.elements.reduce((sum, { sites }) => sum + sites.length, 0),
    );
  });

  test("rejects an invalid seed or scale, or a folder that is not writable, before writing", async () => {
    const folder = join(parent, "never");
    await expect(writeSyntheticGenome(folder, { seed: -1, scale: 1 })).rejects.toThrow(InputError);
    await expect(writeSyntheticGenome(folder, { seed: 0.5, scale: 1 })).rejects.toThrow(/seed is 0.5/);
    await expect(writeSyntheticGenome(folder, { seed: 0, scale: 0.01 })).rejects.toThrow(/from 0.1 to 5/);
    await expect(writeSyntheticGenome(folder, { seed: 0, scale: Number.NaN })).rejects.toThrow(InputError);
    await expect(readdir(folder)).rejects.toThrow("ENOENT");
    await writeFile(join(parent, "file"), "");
    await expect(writeSyntheticGenome(join(parent, "file"), { seed: 0, scale: SCALE })).rejects.toThrow(
      InputError,
    );
  });
});
