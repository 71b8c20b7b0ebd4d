import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/datasets/variants/checks/finding.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { measuredValue } from "../../src/evaluation/published/published-result.ts";
import { readPublished } from "../../src/evaluation/published/read-published.ts";
import type { CellResult } from "../../src/evaluation/runs/stored-results.ts";
import {
  randomGenome,
  SCORES,
  type SimulatedVariant,
  simulate,
  tableText,
} from "../datasets/variants/simulated-tables.ts";
import { scratchFiles } from "../scratch-files.ts";
import { sharedData, testWithSharedData } from "../shared-data.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();
let files: SyntheticFiles;
beforeAll(async () => {
  files = await sharedGenome({ seed: 0, scale: 0.2 });
});

const linesOf = async (path: string) => (await readFile(path, "utf8")).replace(/\n$/, "").split("\n");

describe("check variants", () => {
  test("a clean table: nothing found, exit 0", async () => {
    const { exitCode, printed } = await runCommand([
      "check",
      "variants",
      files.yorubanVariants,
      "--genome",
      files.genome,
    ]);
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/80 variants \(dsqtl\)/);
    expect(printed).toMatch(/nothing found$/);
  });

  test("the published African table, with the reference second in 18 % of the rows: a note, exit 0", async () => {
    const words = ["check", "variants", files.africanVariants, "--genome", files.genome];
    const { exitCode, printed } = await runCommand(words);
    expect(exitCode).toBe(0);
    expect(printed).toMatch(
      /NOTE allele-order: the second allele of \d+ of 160 variants.*\n {2}line \d+: chr.*\n(.*\n)* {2}no action needed: /,
    );
    expect(printed).toMatch(/\n0 errors, 0 warnings, 1 note$/);
    expect((await runCommand([...words, "--strict"])).exitCode).toBe(0);
    const json = JSON.parse((await runCommand([...words, "--json"])).printed);
    expect(json.findings).toMatchObject([{ kind: "allele-order", level: "note" }]);
    expect(json.findings[0].examples.length).toBe(3);
  });

  test("a warning: exit 0, and 1 with --strict; an error: exit 1", async () => {
    const lines = await linesOf(files.yorubanVariants);
    const table = scratch.path("twice.tsv");
    await writeFile(table, `${[...lines, lines[3]].join("\n")}\n`);
    const words = ["check", "variants", table, "--genome", files.genome];
    const warned = await runCommand(words);
    expect(warned.exitCode).toBe(0);
    expect(warned.printed).toContain("WARNING duplicate-variants: 1 of 81 variants");
    const strict = await runCommand([...words, "--strict", "--json"]);
    expect(strict.exitCode).toBe(1);
    expect(JSON.parse(strict.printed).findings).toMatchObject([
      { kind: "duplicate-variants", level: "error" },
    ]);

    const fields = lines[3].split("\t");
    const unknown = lines[0].split("\t").indexOf("var.allele1");
    await writeFile(table, `${lines.with(3, fields.with(unknown, "N").join("\t")).join("\n")}\n`);
    const failed = await runCommand(words);
    expect(failed.exitCode).toBe(1);
    expect(failed.printed).toContain("ERROR ambiguous-alleles: 1 of 80 variants");
  });

  test("effects are compared with a column that is named", async () => {
    const [header, ...rows] = await linesOf(files.africanVariants);
    const beta = header.split("\t").indexOf("beta");
    const against = rows.map((row) => `${row}\t${-Number(row.split("\t")[beta])}`);
    const table = scratch.path("against.tsv");
    await writeFile(table, `${[`${header}\tmine`, ...against].join("\n")}\n`);
    const words = ["check", "variants", table, "--genome", files.genome, "--json"];
    const found = JSON.parse((await runCommand([...words, "--compare-with", "mine"])).printed);
    expect(found.comparedWith).toBe("mine");
    expect(found.findings).toMatchObject([{ kind: "effect-orientation", level: "error" }]);
    const { exitCode, said } = await runCommand([...words, "--compare-with", "yours"]);
    expect(exitCode).toBe(2);
    expect(said).toContain('there is no column "yours"');
    const unnamed = await runCommand([...words, "--compare-favours", "allele2"]);
    expect(unnamed.exitCode).toBe(2);
    expect(unnamed.said).toContain("--compare-favours needs a column of scores");
  });

  test("a file that is not a variant table", async () => {
    const { exitCode, said } = await runCommand([
      "check",
      "variants",
      files.elements,
      "--genome",
      files.genome,
    ]);
    expect(exitCode).toBe(2);
    expect(said).toContain("not a known variant table");
  });
});

describe("the advice on directions corrects the table", () => {
  const sequences = randomGenome(5, 2, 60_000);
  const variants = simulate(sequences, { seed: 6, rows: 2000, causal: 0.15, scoreNoise: 0.35 });
  const isSecond = ({ chrom, position, allele2 }: SimulatedVariant) =>
    sequences.get(chrom)![position - 1] === allele2;
  const turnEffects = (rows: readonly SimulatedVariant[], which: (variant: SimulatedVariant) => boolean) =>
    rows.map((row) => (which(row) ? { ...row, effect: -row.effect } : row));
  const turnScores = (rows: readonly SimulatedVariant[], which: (variant: SimulatedVariant) => boolean) =>
    rows.map((row) => (which(row) ? { ...row, score: -row.score } : row));
  const exchanged = (row: SimulatedVariant) =>
    isSecond(row) ? { ...row, allele1: row.allele2, allele2: row.allele1 } : row;

  const genome = scratch.path("random.fa");
  beforeAll(() => writeFile(genome, [...sequences].map(([name, bases]) => `>${name}\n${bases}\n`).join("")));

  let tables = 0;
  async function checked(rows: readonly SimulatedVariant[], ...more: readonly string[]) {
    const table = scratch.path(`advice-${tables++}.tsv`);
    await writeFile(table, tableText(rows));
    const { exitCode, printed } = await runCommand([
      "check",
      "variants",
      table,
      "--genome",
      genome,
      "--json",
      ...more,
    ]);
    const { findings } = JSON.parse(printed) as { findings: readonly Finding[] };
    return { table, exitCode, findings: findings.filter(({ kind }) => kind !== "allele-order") };
  }

  /** Pearson's r under the corrected protocol of scores that favour this allele. */
  async function pearson(table: string, favours: string) {
    const scores = scratch.path(`scores-${tables++}.tsv`);
    await runCommand([
      "variants",
      "column",
      table,
      "--column",
      SCORES,
      "--favours",
      favours,
      "--genome",
      genome,
      "--out",
      scores,
    ]);
    const { printed } = await runCommand([
      ...["run", "--task", "variant-effects", "--data", table, "--genome", genome, "--model", scores],
      ...[
        "--out",
        scratch.path(`advice-run-${tables++}`),
        "--json",
        "--protocol",
        "corrected",
        "--no-timing",
      ],
    ]);
    const [{ result }] = JSON.parse(printed);
    return result.metrics.find(({ name }: { name: string }) => name === "pearson").value as number;
  }

  test("the published table with scores allele 2 − allele 1: leave effects as they are", async () => {
    const rows = turnScores(variants, isSecond);
    const { table, exitCode, findings } = await checked(rows);
    expect(exitCode).toBe(0);
    expect(findings).toMatchObject([{ kind: "effect-orientation", level: "warning" }]);
    expect(findings[0].fix).toMatch(
      /^nothing, if .*logfc is allele 2 − allele 1 \(--compare-favours allele2 confirms it\); if .*logfc is alternative − reference .*invert the sign of beta in the rows whose second allele is the reference$/,
    );
    const r = await pearson(table, "allele2");
    expect(r).toBeGreaterThan(0.7);
    // The first branch: nothing.
    expect((await checked(rows, "--compare-favours", "allele2")).findings).toEqual([]);
    // Exchanging alleles does no harm either (r is of other signs, so not the same); turning beta does.
    const other = turnScores(variants.map(exchanged), () => false);
    expect(await pearson((await checked(other)).table, "allele2")).toBeCloseTo(r, 2);
    const harmed = turnEffects(rows, isSecond);
    expect(await pearson((await checked(harmed)).table, "allele2")).toBeLessThan(r - 0.15);
  });

  test("effects turned to allele 2, with the published scores: turn them back, as the second branch says", async () => {
    const turned = turnEffects(variants, isSecond);
    const whole = await checked(variants);
    expect(whole.findings).toEqual([]);
    const r = await pearson(whole.table, "alternative");
    const { table, exitCode, findings } = await checked(turned, "--compare-favours", "alternative");
    expect(exitCode).toBe(1);
    expect(findings).toMatchObject([{ kind: "effect-orientation", level: "error" }]);
    expect(findings[0].fix).toBe("invert the sign of beta in the rows whose second allele is the reference");
    expect(await pearson(table, "alternative")).toBeLessThan(r - 0.15);
    const followed = await checked(turnEffects(turned, isSecond), "--compare-favours", "alternative");
    expect(followed.findings).toEqual([]);
    expect(await pearson(followed.table, "alternative")).toBe(r);
  });

  test.each([
    ["all rows", () => true],
    ["the rows whose first allele is the reference", (row: SimulatedVariant) => !isSecond(row)],
  ])("effects turned in %s: turn them back", async (name, which) => {
    const turned = turnEffects(variants, which);
    const { exitCode, findings } = await checked(turned);
    expect(exitCode).toBe(1);
    expect(findings).toMatchObject([
      { kind: "effect-orientation", level: "error", fix: `invert the sign of beta in ${name}` },
    ]);
    expect((await checked(turnEffects(turned, which))).findings).toEqual([]);
  });
});

describe("settings trained on task 4", () => {
  const words = (...data: readonly string[]) => [
    ...["run", "--task", "variant-effects", "--model", "chrombpnet-like", "--setting", "ab-initio", "--plan"],
    ...["--genome", files.genome, "--out", scratch.path("trained")],
    ...["--data", `variants=${files.yorubanVariants}`, ...data],
  ];
  const cell = () => files.cellLines.GM12878;

  test("require all inputs of task 4", async () => {
    expect((await runCommand(words())).said).toContain(
      "trains on chromatin-activity, whose inputs are missing",
    );
    const { exitCode, said } = await runCommand(words(`peaks=${cell().peaksTable}`));
    expect(exitCode).toBe(2);
    expect(said).toContain("whose inputs idr, nonpeaks, signal, cell-line are missing");
  });

  test("are planned with these inputs, identified by digest", async () => {
    const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = cell();
    const data = [
      `peaks=${peaksTable}`,
      `idr=${confidentPeaksTable}`,
      `nonpeaks=${nonPeaksTable}`,
      `signal=${signal}`,
    ];
    const { exitCode, printed } = await runCommand([...words(...data, "cell-line=GM12878"), "--no-timing"]);
    expect(exitCode).toBe(0);
    expect(printed).toContain("variant-effects yoruban-dsqtls × chrombpnet-like × ab-initio");
  });
});

describe("run, annotate, and scores of the table as a model", () => {
  const run = (data: string, model: string, out: string, ...more: readonly string[]) =>
    runCommand([
      ...["run", "--task", "variant-effects", "--data", data, "--genome", files.genome],
      ...["--model", model, "--out", scratch.path(out), "--json", ...more],
    ]);

  test("a run prints the findings, and annotate writes its scores", async () => {
    const { exitCode, printed, said } = await run(files.africanVariants, "kmer-markov:order=3", "markov");
    expect(exitCode).toBe(0);
    expect(said).toContain("allele-order");
    expect(said).toContain("does not mask the differing bases");
    const [{ result }] = JSON.parse(printed);
    const scores = scratch.path(join("markov", result.identity.slice(0, 8), "scores.tsv"));
    expect((await linesOf(scores))[0]).toBe(
      "idx\tchrom\tpos\tallele1\tallele2\tallele1_scores\tallele2_scores",
    );

    const out = scratch.path("annotated.tsv");
    const words = ["variants", "annotate", files.africanVariants, "--scores", scores, "--out", out];
    expect((await runCommand(words)).said).toContain("160 variants with allele1_scores, allele2_scores");
    const [table, annotated, scored] = await Promise.all([files.africanVariants, out, scores].map(linesOf));
    expect(annotated.length).toBe(table.length);
    annotated.forEach((line, i) => {
      expect(line).toBe(`${table[i]}\t${scored[i].split("\t").slice(5).join("\t")}`);
    });

    const other = ["variants", "annotate", files.yorubanVariants, "--scores", scores, "--out", out];
    expect((await runCommand(other)).said).toMatch(/row 0 has the (pos|chrom)/);
  });

  test("leaves rows without scores empty", async () => {
    const { printed } = await run(files.yorubanVariants, "kmer-markov:order=3", "few", "--limit", "5");
    const [{ result }] = JSON.parse(printed);
    const scores = scratch.path(join("few", result.identity.slice(0, 8), "scores.tsv"));
    const out = scratch.path("few.tsv");
    const words = ["variants", "annotate", files.yorubanVariants, "--scores", scores, "--out", out];
    expect((await runCommand(words)).said).toContain("75 of them have no score");
    const lines = await linesOf(out);
    expect(lines.filter((line) => line.endsWith("\t\t")).length).toBe(75);
  });

  test("evaluates a column as a model: the effects correlate perfectly with themselves", async () => {
    const [header, ...rows] = await linesOf(files.africanVariants);
    const beta = header.split("\t").indexOf("beta");
    const text = [`${header}\tmodel.logfc`, ...rows.map((row) => `${row}\t${row.split("\t")[beta]}`)];
    const table = scratch.path("with-scores.tsv");
    await writeFile(table, `${text.join("\n")}\n`);
    const published = scratch.path("published.tsv");
    const column = ["variants", "column", table, "--column", "model.logfc", "--out"];
    const asTabled = await runCommand([...column, published, "--favours", "allele2"]);
    expect(asTabled.said).toContain("160 variants, a positive model.logfc favouring allele2");
    const turned = scratch.path("turned.tsv");
    expect((await runCommand([...column, turned])).said).toContain("a genome is needed");
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

  test("an output file that is an input is refused, also through a link", async () => {
    const [table, linked] = [scratch.path("kept.tsv"), scratch.path("linked.tsv")];
    const lines = ["chr\tpos\tallele1\tallele2\tscore", "chr20\t7\tA\tC\t0.5"];
    await writeFile(table, lines.join("\n"));
    await symlink(table, linked);
    for (const out of [table, linked]) {
      const words = ["variants", "column", table, "--column", "score", "--out", out];
      expect(await runCommand(words)).toMatchObject({
        exitCode: 2,
        said: `error: ${table}: --out is an input file, which would be overwritten\n  give another output file`,
      });
    }
    const fewer = ["variants", "column", table, "--column", "score", "--out", scratch.path("o.tsv")];
    expect((await runCommand([...fewer, "--table", table])).said).toContain("--table is an input file");
    expect(await linesOf(table)).toEqual(lines);
  });

  test("text in a column of scores: its line; missing values have no score", async () => {
    const table = scratch.path("text-scores.tsv");
    const scores = ["0.5", "NA", "chr20"];
    const rows = scores.map((score, i) => `chr20\t${i + 7}\tA\tC\t${score}`);
    const words = ["variants", "column", table, "--column", "score", "--out", scratch.path("text-out.tsv")];
    const written = (count: number) =>
      writeFile(table, ["chr\tpos\tallele1\tallele2\tscore", ...rows.slice(0, count)].join("\n"));
    await written(2);
    expect((await runCommand(words)).said).toContain("1 variant, ");
    await written(3);
    expect(await runCommand(words)).toMatchObject({
      exitCode: 2,
      said: `error: ${table}:4: score "chr20" is not a number, nor NaN`,
    });
  });

  test("a column of the Yoruban table favours allele 1, under both protocols", async () => {
    const [header, ...rows] = await linesOf(files.yorubanVariants);
    const estimate = header.split("\t").indexOf("obs.estimate");
    const number = (text: string) => (Number.isFinite(Number(text)) ? text : "0");
    const text = rows.map((row) => `${row}\t${number(row.split("\t")[estimate])}`);
    const table = scratch.path("yoruban-scores.tsv");
    await writeFile(table, `${[`${header}\tmodel.logfc`, ...text].join("\n")}\n`);
    const scores = scratch.path("yoruban-column.tsv");
    const words = ["variants", "column", table, "--column", "model.logfc", "--out", scores];
    const { said } = await runCommand(words);
    expect(said).toContain(`--model scores:answers=activity,${scores} --protocol both `);
    for (const protocol of ["corrected", "paper"]) {
      const { printed } = await run(
        table,
        `scores:answers=activity,${scores}`,
        `yoruban-${protocol}`,
        "--setting",
        "predicted",
        "--protocol",
        protocol,
      );
      const [{ result }] = JSON.parse(printed);
      const pearson = result.metrics.find(({ name }: { name: string }) => name === "pearson");
      expect(pearson.value).toBeCloseTo(1, 10);
    }
  });

  /**
   * One study's evaluated variants: scores of a column, effects and labels, by the table's own columns alone.
   */
  const evaluated = (
    lines: readonly string[],
    names: { readonly used: readonly string[]; readonly label: string; readonly effect: string },
  ) => {
    const [header, ...rows] = lines.map((line) => line.split("\t"));
    const at = (name: string) => header.indexOf(name);
    return rows
      .filter((row) => names.used.every((name) => row[at(name)] === "True"))
      .map((row) => ({
        score: Number(row.at(-1)),
        effect: Number(row[at(names.effect)]),
        significant: row[at(names.label)] === "True" || row[at(names.label)] === "1",
      }));
  };

  test.each([
    {
      study: "African caQTLs",
      table: () => files.africanVariants,
      column: "chrombpnet.encsr000emt.variantscore.logfc",
      favours: ["--favours", "allele2"],
      names: { used: ["IsUsed", "in_peaks"], label: "label", effect: "beta" },
    },
    {
      study: "Yoruban dsQTLs",
      table: () => files.yorubanVariants,
      column: "pred.chrombpnet.encsr000emt.varscore.logfc",
      favours: [],
      names: { used: ["var.isused"], label: "var.label", effect: "obs.estimate" },
    },
  ])(
    "ChromBPNet's column of the $study is a prediction of the family chrombpnet, with all published metrics",
    async ({ study, table: original, column, favours, names }) => {
      const [header, ...rows] = await linesOf(original());
      const effect = header.split("\t").indexOf(names.effect);
      const scored = rows.map((row, i) => {
        const value = Number(row.split("\t")[effect]);
        return `${row}\t${(Number.isFinite(value) ? 0.7 * value : 0) + 0.4 * Math.sin(7 * i)}`;
      });
      const table = scratch.path(`chrombpnet-${study}.tsv`);
      await writeFile(table, `${[`${header}\t${column}`, ...scored].join("\n")}\n`);
      const scores = scratch.path(`chrombpnet-${study.slice(0, 7)}.tsv`);
      const words = ["variants", "column", table, "--column", column, "--out", scores, ...favours];
      const { said } = await runCommand(words);
      const [, model] = /--model (\S+) --protocol (?:paper|both) /.exec(said) ?? [];
      expect(model).toBe(`scores:answers=activity,family=chrombpnet,${scores}`);
      const { printed } = await run(
        table,
        model,
        `chrombpnet-${study}`,
        "--setting",
        "predicted",
        "--protocol",
        "paper",
      );
      const [{ result }] = JSON.parse(printed) as [{ result: CellResult }];
      expect([result.family, result.cell.setting, result.cell.dataset]).toEqual([
        "chrombpnet",
        "predicted",
        `chrombpnet-${study}`,
      ]);
      const all = (await readPublished()).filter(
        (one) => one.task === "variant-effects" && one.family === "chrombpnet" && one.setting === "predicted",
      );
      expect(all).toHaveLength(14);
      const own = new Map(
        all
          .filter(({ dataset }) => dataset === study)
          .map((one) => [one.metric, measuredValue(result, one)?.value]),
      );
      // Pearson over QTLs and the AUROC of sizes, from the table's columns by their definitions.
      const variants = evaluated(await linesOf(table), names);
      const qtls = variants.filter(({ significant }) => significant);
      const mean = (of: (one: (typeof qtls)[number]) => number) =>
        qtls.reduce((sum, one) => sum + of(one), 0) / qtls.length;
      const [x, y] = [mean(({ score }) => score), mean((one) => one.effect)];
      const moment = (of: (dx: number, dy: number) => number) =>
        mean((one) => of(one.score - x, one.effect - y));
      const pearson =
        moment((dx, dy) => dx * dy) / Math.sqrt(moment((dx) => dx * dx) * moment((_, dy) => dy * dy));
      expect(own.get("pearson")).toBeCloseTo(pearson, 12);
      expect(own.get("pearson")).toBeGreaterThan(0.3);
      const controls = variants.filter(({ significant }) => !significant);
      const wins = qtls.flatMap((one) =>
        controls.map((two) => Math.sign(Math.abs(one.score) - Math.abs(two.score))),
      );
      const auroc = wins.reduce((sum, sign) => sum + (1 + sign) / 2, 0) / wins.length;
      expect(own.get("auroc")).toBeCloseTo(auroc, 12);
      expect([...own.keys()].sort()).toEqual(["auprc", "auroc", "mannwhitney_p_less", "pearson", "spearman"]);
      for (const value of own.values()) expect(value).toEqual(expect.any(Number));
    },
  );

  test("writes a table without missing scores, which can be run", async () => {
    const [header, ...rows] = await linesOf(files.africanVariants);
    const beta = header.split("\t").indexOf("beta");
    const scored = rows.map((row, i) => `${row}\t${i % 40 === 3 ? "nan" : row.split("\t")[beta]}`);
    const table = scratch.path("with-gaps.tsv");
    await writeFile(table, `${[`${header}\tmodel.logfc`, ...scored].join("\n")}\n`);
    const [scores, fewer] = [scratch.path("gaps.tsv"), scratch.path("without-gaps.tsv")];
    const words = ["variants", "column", table, "--column", "model.logfc", "--favours", "allele2", "--out"];
    const whole = await runCommand([...words, scores]);
    expect(whole.said).toContain("4 rows without a score are left out");
    expect(whole.said).toContain("--table FILE writes one without these rows");
    expect(whole.said).not.toContain("next:");
    expect((await run(table, scores, "gaps", "--protocol", "paper")).said).toContain(
      "rows missing, 4 of 160",
    );
    const cut = await runCommand([...words, scores, "--table", fewer]);
    expect(cut.said).toContain(
      `next: dart-eval run --task variant-effects --setting predicted --data ${fewer}`,
    );
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
    expect(result.averages.differenceSize).toBeCloseTo(
      (0.307680838 + 0.000337756656 + 0.0212269412 + 0.0791642759999999) / 4,
      12,
    );
  });
});
