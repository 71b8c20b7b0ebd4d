import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import {
  buildCellTypeElements,
  type CellTypeBuild,
  doStep,
  filesOfBuild,
} from "../../../src/datasets/cell-type-elements/build.ts";
import {
  type Differential,
  deseq2,
  readDifferential,
} from "../../../src/datasets/cell-type-elements/differential.ts";
import { readCellTypeElements, readRowList } from "../../../src/datasets/cell-type-elements/table.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { NEEDS_DATA, sharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const PEAKS = 120;
const SAMPLES = CELL_LINES.flatMap((line) => [1, 2, 3].map((i) => `${line}_${i}`));

/** Lines in which a peak is open: of six peaks, one for each line and one for two lines. */
const openIn = (peak: number) => (peak % 6 === 5 ? [CELL_LINES[0], CELL_LINES[4]] : [CELL_LINES[peak % 6]]);

const nameOf = (peak: number) => {
  const start = 1000 * (PEAKS - peak);
  return `chr${peak % 2 === 0 ? 10 : 2}:${start}-${start + 500}`;
};

/** Counts with noise around 20, and around 400 where a peak is open. */
function plantedCounts(): string {
  const rng = new Pcg64(3);
  const lines = Array.from({ length: PEAKS }, (_, peak) => {
    const counts = SAMPLES.map((sample) => {
      const open = openIn(peak).some((line) => sample.startsWith(line));
      const level = open ? 400 : 20;
      return Math.round(level * (0.6 + 0.8 * rng.nextFloat64()));
    });
    return [nameOf(peak), ...counts].join(",");
  });
  return `${[["peak", ...SAMPLES].join(","), ...lines].join("\n")}\n`;
}

/** Fake DESeq2: reports the planted peaks, with smaller p-values in later rows. */
function fake(analyses: string[]): Differential {
  return async ({ counts, design, results }) => {
    const condition = readFileSync(design, "utf8")
      .split("\n")
      .find((text) => !/other|condition/.test(text));
    const line = condition!.split(",")[1];
    analyses.push(`${line} ${counts.includes("unique") ? "again" : "first"}`);
    const names = readFileSync(counts, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((text) => text.split(",")[0]);
    const rows = names.map((name) => {
      const peak = Array.from({ length: PEAKS }, (_, i) => i).find((i) => nameOf(i) === name)!;
      const open = openIn(peak).includes(line as (typeof CELL_LINES)[number]);
      // One peak has no adjusted p-value, one changes by too little.
      const padj = peak === 0 ? "NA" : open ? `1e-${10 + peak}` : "0.6";
      const change = open ? (peak === 1 ? "0.9" : "4.25") : "-1.5";
      return `${name},100,${change},0.1,1,${padj},${padj}`;
    });
    writeFileSync(
      results,
      `${["peak,baseMean,log2FoldChange,lfcSE,stat,pvalue,padj", ...rows].join("\n")}\n`,
    );
    return "fake";
  };
}

const scratch = scratchFiles();

async function buildOf(folder: string, changes: Partial<CellTypeBuild> = {}): Promise<CellTypeBuild> {
  const counts = await scratch.write("counts.csv", plantedCounts());
  return { folder, counts, differential: fake([]), subsetSize: 4, last: "subset", ...changes };
}

describe("from a count table, with a fake DESeq2", () => {
  test("writes sorted peaks of one line only, and the most significant for clustering", async () => {
    const folder = temporaryFolder();
    await buildCellTypeElements(await buildOf(folder));
    const files = filesOfBuild(folder);
    const rows = await readCellTypeElements(files.table);
    // Of 120 peaks 20 are open in two lines, one has no p-value and one no fold change.
    expect(rows).toHaveLength(98);
    const places = rows.map(({ chrom, inputStart }) => `${chrom} ${String(inputStart).padStart(9)}`);
    expect(places).toEqual(places.toSorted());
    for (const { chrom, inputStart, label } of rows) {
      const peak = Array.from({ length: PEAKS }, (_, i) => i).find((i) =>
        nameOf(i).startsWith(`${chrom}:${inputStart}-`),
      )!;
      expect(openIn(peak)).toEqual([label]);
    }
    const subset = await readRowList(files.subset, rows.length);
    expect(subset).toHaveLength(20);
    expect(subset).toEqual(subset.toSorted((a, b) => a - b));
    // The four most significant peaks of GM12878: 96 to 114, every sixth.
    const gm = subset.filter((row) => rows[row].label === "GM12878").map((row) => rows[row].inputStart);
    expect(gm.toSorted()).toEqual([114, 108, 102, 96].map((peak) => 1000 * (PEAKS - peak)).toSorted());
  });

  test("skips steps whose inputs are unchanged and repeats the others", async () => {
    const folder = temporaryFolder();
    const analyses: string[] = [];
    await buildCellTypeElements(await buildOf(folder, { differential: fake(analyses), last: "table" }));
    expect(analyses).toEqual(CELL_LINES.map((line) => `${line} first`));
    const table = filesOfBuild(folder).table;
    const before = statSync(table, { bigint: true }).mtimeNs;

    // Resumes after the table.
    analyses.length = 0;
    await buildCellTypeElements(await buildOf(folder, { differential: fake(analyses) }));
    expect(analyses).toEqual(CELL_LINES.map((line) => `${line} again`));
    expect(statSync(table, { bigint: true }).mtimeNs).toBe(before);

    // One result changes: the table is rebuilt, the analyses are not.
    analyses.length = 0;
    const results = filesOfBuild(folder).differential("K562");
    await writeFile(results, readFileSync(results, "utf8").replaceAll("4.25", "0.5"));
    await buildCellTypeElements(await buildOf(folder, { differential: fake(analyses), last: "table" }));
    expect(analyses).toEqual([]);
    expect((await readCellTypeElements(table)).some(({ label }) => label === "K562")).toBe(false);
  });

  test("resumes a build that was aborted between two steps", async () => {
    const folder = temporaryFolder();
    const controller = new AbortController();
    const analyses: string[] = [];
    const stopping = await buildOf(folder, {
      differential: fake(analyses),
      signal: controller.signal,
      onStep: (what, outcome) => {
        if (what.includes("HEPG2") && outcome === "made") controller.abort(new Error("stopped here"));
      },
    });
    await expect(buildCellTypeElements(stopping)).rejects.toThrow("stopped here");
    expect(analyses).toHaveLength(3);
    await buildCellTypeElements(
      await buildOf(folder, { differential: fake(analyses), last: "differential" }),
    );
    expect(analyses).toEqual(CELL_LINES.map((line) => `${line} first`));
  });

  test("does not reuse an output overwritten by a failed step", async () => {
    const folder = temporaryFolder();
    const [input, output] = [join(folder, "in"), join(folder, "out")];
    const step = (text: string, fails = false) => {
      writeFileSync(input, text);
      return doStep({
        label: "copying",
        output,
        inputs: [input],
        options: {},
        async make() {
          writeFileSync(output, text);
          if (fails) throw new Error("killed");
        },
      });
    };
    expect([await step("a"), await step("a")]).toEqual(["made", "kept"]);
    await expect(step("b", true)).rejects.toThrow("killed");
    expect(await step("a")).toBe("made");
    expect(readFileSync(output, "utf8")).toBe("a");
  });

  test("reports cell lines without a sample", async () => {
    const counts = await scratch.write(
      "three.csv",
      plantedCounts()
        .split("\n")
        .map((line) => line.split(",").slice(0, 10).join(","))
        .join("\n"),
    );
    const notes: string[] = [];
    const onNote = (text: string) => notes.push(text);
    await buildCellTypeElements(await buildOf(temporaryFolder(), { counts, onNote, last: "table" }));
    expect(notes).toContain("the count table has no sample of IMR90, K562");
    expect(notes).toContain("run with fake");
  });

  test("rejects contradictory or missing inputs", async () => {
    const folder = temporaryFolder();
    const refused = async (changes: Partial<CellTypeBuild>) =>
      expect(buildCellTypeElements(await buildOf(folder, changes))).rejects;
    await (await refused({ peaks: ["a"] })).toThrow(/replaces peaks and BAM files/);
    await (await refused({ subsetSize: 0 })).toThrow(/expected a whole number from 1/);
    const { counts: _, ...without } = await buildOf(folder);
    await expect(buildCellTypeElements(without)).rejects.toThrow(/no peak file/);
    await expect(
      buildCellTypeElements({ ...without, peaks: ["a"], bams: new Map([["K562", ["x.bam"]]]) }),
    ).rejects.toThrow(/at least two BAM files of GM12878, H1ESC, HEPG2, IMR90, K562/);
    const unnamed = await scratch.write("unnamed.csv", "peak,liver_1\nchr1:0-5,3\n");
    await expect(buildCellTypeElements({ ...without, counts: unnamed })).rejects.toThrow(/liver_1/);
    const alone = await scratch.write("alone.csv", "peak,K562_1,K562_2\nchr1:0-5,3,4\n");
    await expect(buildCellTypeElements({ ...without, counts: alone })).rejects.toThrow(
      /samples of other lines/,
    );
  });
});

const bam = sharedData("formats/bam/volvox-sorted.bam");

test.skipIf(bam === undefined)(`counts reads per peak [${NEEDS_DATA}]`, async () => {
  const folder = temporaryFolder();
  const peak = (summit: number) => `ctgA\t${summit}\t${summit + 1}\tp\t0\t.\t0\t-1\t${summit % 7}\t0`;
  const peaks = await scratch.write(
    "volvox.narrowPeak",
    `${[2000, 100, 9000, 9300, 40_000].map(peak).join("\n")}\n`,
  );
  const { counts: _, ...rest } = await buildOf(folder);
  const bams = new Map(CELL_LINES.map((line) => [line, [bam!, bam!]] as const));
  const notes: string[] = [];
  const onNote = (text: string) => notes.push(text);
  await buildCellTypeElements({ ...rest, peaks: [peaks], bams, last: "counts", onNote });
  expect(notes).toEqual([
    "3 of 5 peaks accepted",
    "1 peaks skipped: the 500 bases around their summit start before the chromosome",
  ]);
  const [header, ...lines] = readFileSync(filesOfBuild(folder).counts, "utf8").trim().split("\n");
  expect(header).toBe(["peak", ...CELL_LINES.flatMap((line) => [`${line}_1`, `${line}_2`])].join(","));
  // 9000 has q 5, 9300 has q 4 and overlaps it.
  expect(lines.map((line) => line.split(",")[0])).toEqual([
    "ctgA:1750-2250",
    "ctgA:8750-9250",
    "ctgA:39750-40250",
  ]);
  for (const line of lines) {
    const [first, ...others] = line.split(",").slice(1).map(Number);
    expect(first).toBeGreaterThan(50);
    expect(others.every((count) => count === first)).toBe(true);
  }
});

/** R and DESeq2 are optional. */
const RSCRIPT = "Rscript";

const withDeseq2 =
  spawnSync(RSCRIPT, ["-e", 'quit(status = if (nzchar(system.file(package = "DESeq2"))) 0 else 1)'])
    .status === 0;

test.skipIf(!withDeseq2)(
  "DESeq2 finds what was planted [needs Rscript with DESeq2]",
  async () => {
    const folder = temporaryFolder();
    const counts = await scratch.write("planted.csv", plantedCounts());
    const design = join(folder, "design.csv");
    const rows = SAMPLES.map((sample) => `${sample},${sample.startsWith("IMR90") ? "IMR90" : "other"}`);
    await writeFile(design, `${["sample,condition", ...rows].join("\n")}\n`);
    const results = join(folder, "results.csv");
    const by = await deseq2()({ counts, design, results, script: join(folder, "deseq2.R") });
    expect(by).toMatch(/^DESeq2 \d/);
    const found = await readDifferential(results);
    expect(found).toHaveLength(PEAKS);
    found.forEach(({ peak, log2FoldChange, padj }, i) => {
      expect(peak).toBe(nameOf(i));
      const planted = openIn(i).includes("IMR90");
      expect(padj < 0.001 && log2FoldChange > 1, `${peak}: ${log2FoldChange}, ${padj}`).toBe(planted);
      // log2(400 / 20) = 4.3, give or take what open peaks of others do to the size factors.
      if (planted) expect(Math.abs(log2FoldChange - 4.3)).toBeLessThan(0.8);
    });
  },
  120_000,
);

test("aborts a running analysis with the signal's reason", async () => {
  const rscript = await scratch.write("rscript-slow", "#!/bin/sh\nsleep 60\n");
  chmodSync(rscript, 0o755);
  const controller = new AbortController();
  const onStep = () => setTimeout(() => controller.abort(new Error("enough")), 200);
  const build = await buildOf(temporaryFolder(), { differential: deseq2(rscript), onStep });
  const began = performance.now();
  await expect(buildCellTypeElements({ ...build, signal: controller.signal })).rejects.toThrow("enough");
  expect(performance.now() - began).toBeLessThan(20_000);
});

test("an analysis aborted before it starts runs no program", async () => {
  const started = scratch.path("started");
  const rscript = await scratch.write("rscript-started", `#!/bin/sh\ntouch ${started}\n`);
  chmodSync(rscript, 0o755);
  const at = (name: string) => scratch.path(name);
  const files = {
    counts: at("counts"),
    design: at("design"),
    results: at("results"),
    script: at("script.R"),
  };
  const analysis = deseq2(rscript)({ ...files, signal: AbortSignal.abort(new Error("enough")) });
  await expect(analysis).rejects.toThrow("enough");
  expect(existsSync(started)).toBe(false);
});

describe("errors of R", () => {
  test.each([
    ["a missing program", "/nowhere/Rscript", "", /analysis needs R/],
    ["R without DESeq2", "rscript-without", "#!/bin/sh\nexit 3\n", /DESeq2 is not installed/],
    ["a failing script", "rscript-failing", "#!/bin/sh\nexit 1\n", /failed with code 1/],
  ])("%s", async (_what, name, script, message) => {
    const rscript = script === "" ? name : await scratch.write(name, script);
    if (script !== "") chmodSync(rscript, 0o755);
    const folder = temporaryFolder();
    const build = await buildOf(folder, { differential: deseq2(rscript), last: "differential" });
    const error = await buildCellTypeElements(build).catch((caught) => caught);
    expect(error.message).toMatch(message);
    if (name !== "rscript-failing") expect(error.hint).toContain("r-bioc-deseq2");
  });
});
