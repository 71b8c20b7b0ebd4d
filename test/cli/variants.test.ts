import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { scratchFiles } from "../scratch-files.ts";
import { sharedData, testWithSharedData } from "../shared-data.ts";
import { runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();
let files: SyntheticFiles;
beforeAll(async () => {
  ({ files } = await writeSyntheticGenome(scratch.path("synthetic"), { seed: 0, scale: 0.2 }));
});

const linesOf = async (path: string) => (await readFile(path, "utf8")).replace(/\n$/, "").split("\n");

describe("check variants", () => {
  test("a clean table: nothing found, exit 0", async () => {
    const { exitCode, printed } = await runCommand(["check", "variants", files.yorubanVariants, "--genome", files.genome]); // biome-ignore format: one line
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/80 variants \(dsqtl\)/);
    expect(printed).toMatch(/nothing found$/);
  });

  test("a fault: named with lines and a fix, exit 1; as JSON too", async () => {
    const words = ["check", "variants", files.africanVariants, "--genome", files.genome];
    const { exitCode, printed } = await runCommand(words);
    expect(exitCode).toBe(1);
    expect(printed).toMatch(
      /FOUND allele-order: the second allele of \d+ of 160 variants.*\n {2}line \d+: chr/,
    );
    const json = JSON.parse((await runCommand([...words, "--json"])).printed);
    expect(json.findings.map(({ kind }: { kind: string }) => kind)).toEqual(["allele-order"]);
    expect(json.findings[0].examples.length).toBe(3);
  });

  test("effects are compared with a column that is named", async () => {
    const [header, ...rows] = await linesOf(files.africanVariants);
    const beta = header!.split("\t").indexOf("beta");
    const against = rows.map((row) => `${row}\t${-Number(row.split("\t")[beta])}`);
    const table = scratch.path("against.tsv");
    await writeFile(table, `${[`${header}\tmine`, ...against].join("\n")}\n`);
    const words = ["check", "variants", table, "--genome", files.genome, "--json"];
    const found = JSON.parse((await runCommand([...words, "--compare-with", "mine"])).printed);
    expect(found.comparedWith).toBe("mine");
    expect(found.findings.map(({ kind }: { kind: string }) => kind)).toEqual(["effect-orientation"]);
    const { exitCode, said } = await runCommand([...words, "--compare-with", "yours"]);
    expect(exitCode).toBe(2);
    expect(said).toContain('there is no column "yours"');
  });

  test("a file that is no table of variants", async () => {
    const { exitCode, said } = await runCommand(["check", "variants", files.elements, "--genome", files.genome]); // biome-ignore format: one line
    expect(exitCode).toBe(2);
    expect(said).toContain("no table of variants that is known");
  });
});

describe("settings that answer with what task 4 trained", () => {
  const words = (...data: readonly string[]) => [
    ...["run", "--task", "variant-effects", "--model", "chrombpnet-like", "--setting", "ab-initio", "--plan"],
    ...["--genome", files.genome, "--out", scratch.path("trained")],
    ...["--data", `variants=${files.yorubanVariants}`, ...data],
  ];
  const cell = () => files.cellLines.GM12878;

  test("need its inputs, all of them", async () => {
    expect((await runCommand(words())).said).toContain("answers with what chromatin-activity trained");
    const { exitCode, said } = await runCommand(words(`peaks=${cell().peaksTable}`));
    expect(exitCode).toBe(2);
    expect(said).toContain("of its inputs idr, nonpeaks, signal, cell-line are missing");
  });

  test("are planned with them, and know them by their contents", async () => {
    const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = cell();
    const data = [
      `peaks=${peaksTable}`,
      `idr=${confidentPeaksTable}`,
      `nonpeaks=${nonPeaksTable}`,
      `signal=${signal}`,
    ];
    const { exitCode, printed } = await runCommand(words(...data, "cell-line=GM12878"));
    expect(exitCode).toBe(0);
    expect(printed).toContain("variant-effects Yoruban dsQTLs × chrombpnet-like × ab-initio");
  });
});

describe("run, annotate, and the table's own scores as a model", () => {
  const run = (data: string, model: string, out: string, ...more: readonly string[]) =>
    runCommand([
      ...["run", "--task", "variant-effects", "--data", data, "--genome", files.genome],
      ...["--model", model, "--out", scratch.path(out), "--json", ...more],
    ]);

  test("a run tells the findings, keeps its scores, and the table is written with them", async () => {
    const { exitCode, printed, said } = await run(files.africanVariants, "kmer-markov:order=3", "markov");
    expect(exitCode).toBe(0);
    expect(said).toContain("allele-order");
    expect(said).toContain("does not hide what differs");
    const [{ result }] = JSON.parse(printed);
    const scores = scratch.path(join("markov", result.identity.slice(0, 8), "scores.tsv"));
    expect((await linesOf(scores))[0]).toBe(
      "idx\tchrom\tpos\tallele1\tallele2\tallele1_scores\tallele2_scores",
    );

    const out = scratch.path("annotated.tsv");
    const words = ["variants", "annotate", files.africanVariants, "--scores", scores, "--out", out];
    expect((await runCommand(words)).said).toContain("160 variants with allele1_scores, allele2_scores");
    const [table, annotated, scored] = await Promise.all([files.africanVariants, out, scores].map(linesOf));
    expect(annotated!.length).toBe(table!.length);
    annotated!.forEach((line, i) => {
      expect(line).toBe(`${table![i]}\t${scored![i]!.split("\t").slice(5).join("\t")}`);
    });

    const other = ["variants", "annotate", files.yorubanVariants, "--scores", scores, "--out", out];
    expect((await runCommand(other)).said).toMatch(/row 0 has the (pos|chrom)/);
  });

  test("scores of some rows leave the others' fields empty", async () => {
    const { printed } = await run(files.yorubanVariants, "kmer-markov:order=3", "few", "--limit", "5");
    const [{ result }] = JSON.parse(printed);
    const scores = scratch.path(join("few", result.identity.slice(0, 8), "scores.tsv"));
    const out = scratch.path("few.tsv");
    const words = ["variants", "annotate", files.yorubanVariants, "--scores", scores, "--out", out];
    expect((await runCommand(words)).said).toContain("75 of them have no score");
    const lines = await linesOf(out);
    expect(lines.filter((line) => line.endsWith("\t\t")).length).toBe(75);
  });

  test("a column of the table is evaluated like a model: the effects themselves correlate perfectly", async () => {
    const [header, ...rows] = await linesOf(files.africanVariants);
    const beta = header!.split("\t").indexOf("beta");
    const text = [`${header}\tmodel.logfc`, ...rows.map((row) => `${row}\t${row.split("\t")[beta]}`)];
    const table = scratch.path("with-scores.tsv");
    await writeFile(table, `${text.join("\n")}\n`);
    const published = scratch.path("published.tsv");
    const column = ["variants", "column", table, "--column", "model.logfc", "--out"];
    const asTabled = await runCommand([...column, published, "--favours", "allele2"]);
    expect(asTabled.said).toContain("160 variants, a positive model.logfc favouring allele2");
    const turned = scratch.path("turned.tsv");
    expect((await runCommand([...column, turned])).said).toContain("none was given");
    await runCommand([...column, turned, "--genome", files.genome]);
    const pearson = async (scores: string, protocol: string) => {
      const out = `column-${protocol}-${scores === turned ? "turned" : "tabled"}`;
      const { printed } = await run(table, scores, out, "--protocol", protocol);
      const [{ result }] = JSON.parse(printed);
      return result.metrics.find(({ name }: { name: string }) => name === "pearson").value;
    };
    expect(await pearson(published, "paper")).toBeCloseTo(1, 10);
    expect(await pearson(turned, "corrected")).toBeCloseTo(1, 10);
    expect(await pearson(published, "corrected")).toBeLessThan(0.99);
  });

  test("of the Yoruban set a column is evaluated with its sign by the protocol that is named next", async () => {
    const [header, ...rows] = await linesOf(files.yorubanVariants);
    const estimate = header!.split("\t").indexOf("obs.estimate");
    const number = (text: string) => (Number.isFinite(Number(text)) ? text : "0");
    const text = rows.map((row) => `${row}\t${number(row.split("\t")[estimate]!)}`);
    const table = scratch.path("yoruban-scores.tsv");
    await writeFile(table, `${[`${header}\tmodel.logfc`, ...text].join("\n")}\n`);
    for (const [favours, protocol] of [
      ["allele1", "corrected"],
      ["allele2", "paper"],
    ]) {
      // biome-ignore format: two pairs
      const scores = scratch.path(`yoruban-${favours}.tsv`);
      const words = ["variants", "column", table, "--column", "model.logfc", "--out", scores];
      const { said } = await runCommand([...words, "--favours", favours!]);
      expect(said).toContain(`--protocol ${protocol} `);
      const { printed } = await run(table, scores, `yoruban-${protocol}`, "--protocol", protocol!);
      const [{ result }] = JSON.parse(printed);
      const pearson = result.metrics.find(({ name }: { name: string }) => name === "pearson");
      expect(pearson.value).toBeCloseTo(1, 10);
    }
  });

  test("where the column has gaps, a table without them can be run, and the whole one is not offered", async () => {
    const [header, ...rows] = await linesOf(files.africanVariants);
    const beta = header!.split("\t").indexOf("beta");
    const scored = rows.map((row, i) => `${row}\t${i % 40 === 3 ? "nan" : row.split("\t")[beta]}`);
    const table = scratch.path("with-gaps.tsv");
    await writeFile(table, `${[`${header}\tmodel.logfc`, ...scored].join("\n")}\n`);
    const [scores, fewer] = [scratch.path("gaps.tsv"), scratch.path("without-gaps.tsv")];
    const words = ["variants", "column", table, "--column", "model.logfc", "--favours", "allele2", "--out"];
    const whole = await runCommand([...words, scores]);
    expect(whole.said).toContain("4 rows have no number and are left out");
    expect(whole.said).toContain("add --table FILE");
    expect(whole.said).not.toContain("next:");
    expect((await run(table, scores, "gaps", "--protocol", "paper")).said).toContain(
      "rows missing, 4 of 160",
    );
    const cut = await runCommand([...words, scores, "--table", fewer]);
    expect(cut.said).toContain(`next: dart-eval run --task variant-effects --data ${fewer}`);
    expect(await linesOf(fewer)).toEqual([
      `${header}\tmodel.logfc`,
      ...scored.filter((_, i) => i % 40 !== 3),
    ]);
    const { printed } = await run(fewer, scores, "no-gaps", "--protocol", "paper");
    const [{ result }] = JSON.parse(printed);
    expect(result.counts.rows).toBe(156);
    const pearson = result.metrics.find(({ name }: { name: string }) => name === "pearson");
    expect(pearson.value).toBeCloseTo(1, 10);
  });

  testWithSharedData("real rows with ChromBPNet's scores", "task5/african_caqtl.chr2.tsv", async (table) => {
    const out = scratch.path("chrombpnet.tsv");
    const name = "pred.chrombpnet.encsr000emt.variantscore.logfc";
    await runCommand(["variants", "column", table, "--column", name, "--out", out]);
    expect(await linesOf(out)).toEqual([
      "idx\tallele1_scores\tallele2_scores",
      "0\t0\t0.307680838",
      "1\t0\t0.000337756656",
      "2\t0\t-0.0212269412",
      "3\t0\t0.0791642759999999",
    ]);
    const { exitCode, printed } = await runCommand([
      ...["run", "--task", "variant-effects", "--data", table, "--model", out, "--json"],
      ...["--genome", sharedData("genome/mini.hg38.fa.gz")!, "--out", scratch.path("chrombpnet")],
    ]);
    expect(exitCode).toBe(0);
    const [{ result }] = JSON.parse(printed);
    expect(result.metrics[0]).toMatchObject({ name: "auroc", value: null });
    expect(result.averages.differenceSize).toBeCloseTo((0.307680838 + 0.000337756656 + 0.0212269412 + 0.0791642759999999) / 4, 12); // biome-ignore format: one line
  });
});
