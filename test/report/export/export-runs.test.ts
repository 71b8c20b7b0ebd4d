import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { stratifyRun } from "../../../src/evaluation/strata/stratify.ts";
import { EXPORT_FORMATS, exportRuns } from "../../../src/report/export/export-runs.ts";
import { queryRuns } from "../../../src/report/export/query.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { parseCsv } from "./parse-csv.ts";
import { dinucleotideModel, elementInputs, smallRun } from "./small-run.ts";

let folder: string;
let runs: readonly string[];
const at = (...parts: readonly string[]) => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-export-"));
  const inputs = await elementInputs(folder);
  const a = dinucleotideModel('a "model", quoted', 1.25);
  const b = dinucleotideModel("b_model", 2.5);
  runs = [
    await smallRun(at("corrected"), inputs, { models: [a, b] }),
    await smallRun(at("paper"), inputs, { models: [a], protocol: "paper" }),
    await smallRun(at("few"), inputs, { models: [b], limit: 10 }),
  ];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ROWS = "rows/regulatory-elements";
const csvOf = async (path: string) => parseCsv(await readFile(path, "utf8"));
const parquetOf = async (path: string) => parquetReadObjects({ file: await asyncBufferFromFile(path) });

/** Rows of a merged cell's scores.tsv. */
async function scoresOf(run: string, cell = 0) {
  const { folder: place, result } = (await readResults(run))[cell];
  const lines = (await readFile(join(place, "scores.tsv"), "utf8")).trim().split("\n").slice(1);
  return { result, rows: lines.map((line) => line.split("\t").map(Number)) };
}

describe("exportRuns", () => {
  test("writes every row with its facts and the scores of all cells, in full precision", async () => {
    await exportRuns(runs, at("all"));
    const [header, ...lines] = await csvOf(at("all", `${ROWS}.csv`));
    const rows = await parquetOf(at("all", `${ROWS}.parquet`));
    expect(lines).toHaveLength(60);
    expect(header.slice(0, 7)).toEqual(["row", "split", "chrom", "start", "end", "unknown", "same"]);
    expect(
      rows.slice(0, 3).map(({ row, split, chrom, start, end }) => [row, split, chrom, start, end]),
    ).toEqual([
      [0, "train", "chr1", 150, 400],
      [1, "test", "chr5", 150, 400],
      [2, "val", "chr6", 150, 400],
    ]);
    for (const [cell, model] of ['a "model", quoted', "b_model"].entries()) {
      const { rows: scores, result } = await scoresOf(runs[0], cell);
      // Two cells of b_model differ in their rows: their names distinguish them.
      const name =
        cell === 0
          ? `${model}.zero-shot.corrected`
          : `${model}.zero-shot.corrected.${result.identity.slice(0, 8)}`;
      const column = (member: string) => header.indexOf(`${name}.${member}.log_likelihood`);
      const csv = lines.map((line) => [
        Number(line[0]),
        Number(line[column("element")]),
        Number(line[column("control")]),
      ]);
      expect(csv).toEqual(scores);
      const parquet = rows.map((row) => [
        row.row,
        row[`${name}.element.log_likelihood`],
        row[`${name}.control.log_likelihood`],
      ]);
      expect(parquet).toEqual(scores);
    }
  });

  test("leaves scores empty for rows that a cell did not score", async () => {
    await exportRuns(runs, at("few-rows"), { formats: ["csv", "parquet"] });
    const { result, rows: scores } = await scoresOf(runs[2]);
    const name = `b_model.zero-shot.corrected.${result.identity.slice(0, 8)}.element.log_likelihood`;
    const rows = await parquetOf(at("few-rows", `${ROWS}.parquet`));
    const scored = rows.filter((row) => row[name] !== null);
    expect(scored.map((row) => [row.row, row[name]])).toEqual(scores.map(([row, element]) => [row, element]));
    const [header, ...lines] = await csvOf(at("few-rows", `${ROWS}.csv`));
    expect(lines.filter((line) => line[header.indexOf(name)] !== "")).toHaveLength(10);
  });

  test("keeps the model's precision under the paper protocol, which compares in float32", async () => {
    await exportRuns([runs[1]], at("paper-rows"), { formats: ["parquet"] });
    const name = 'a "model", quoted.zero-shot.paper.element.log_likelihood';
    const paper = await parquetOf(at("paper-rows", `${ROWS}.parquet`));
    const { rows } = await scoresOf(runs[0]);
    expect(paper.map((row) => row[name])).toEqual(rows.map(([, element]) => element));
  });

  test("writes metrics with every interval, equal in CSV, JSON and Parquet", async () => {
    await exportRuns(runs, at("metrics"), { formats: ["csv", "json", "parquet"] });
    const json: Record<string, unknown>[] = JSON.parse(await readFile(at("metrics", "metrics.json"), "utf8"));
    const [header, ...lines] = await csvOf(at("metrics", "metrics.csv"));
    const parquet = await parquetOf(at("metrics", "metrics.parquet"));
    expect(parquet).toEqual(json);
    expect(lines).toEqual(json.map((record) => header.map((name) => String(record[name] ?? ""))));
    const [{ result }] = await readResults(runs[0]);
    const [accuracy] = result.metrics;
    const found = json.filter(
      ({ cell, metric }) => cell === result.identity.slice(0, 8) && metric === accuracy.name,
    );
    expect(
      found.map(({ value, interval, low, high, n, method }) => ({ value, interval, low, high, n, method })),
    ).toEqual(
      accuracy.intervals.map(({ low, high, n, method }, i) => ({
        value: accuracy.value,
        interval: i + 1,
        low,
        high,
        n,
        method,
      })),
    );
  });

  test("describes every column of the rows", async () => {
    await exportRuns(runs, at("columns"), { formats: ["csv"] });
    const [header] = await csvOf(at("columns", `${ROWS}.csv`));
    const [, ...columns] = await csvOf(at("columns", "columns.csv"));
    expect(columns.map(([, name]) => name)).toEqual(header);
    expect(columns.find(([, name]) => name.endsWith("element.log_likelihood"))).toEqual(
      expect.arrayContaining([
        "number",
        "score",
        "log-likelihood of the element, nats",
        "zero-shot",
        "corrected",
      ]),
    );
  });

  test("writes tables with escaped names", async () => {
    await exportRuns(runs, at("tables"), { formats: ["markdown", "latex"] });
    const files = await readdir(at("tables", "tables"));
    expect(files.length).toBeGreaterThan(1);
    const latex = await readFile(
      at("tables", "tables", files.find((name) => name.endsWith(".tex"))!),
      "utf8",
    );
    expect(latex).toMatch(/\\toprule[\s\S]*b\\_model[\s\S]*\\bottomrule/);
  });

  test("exports a cell of two runs once", async () => {
    await exportRuns([runs[0], runs[0]], at("once"), { formats: ["json"] });
    expect(JSON.parse(await readFile(at("once", "cells.json"), "utf8"))).toHaveLength(2);
  });

  test("repeats an export byte for byte, and removes files of the earlier one", async () => {
    await exportRuns(runs, at("again"), { formats: ["csv", "parquet", "json", "markdown", "latex"] });
    const before = await readFile(at("again", `${ROWS}.parquet`));
    await exportRuns(runs, at("again"), { formats: ["parquet"] });
    expect(before.equals(await readFile(at("again", `${ROWS}.parquet`)))).toBe(true);
    expect(
      (await readdir(at("again"), { recursive: true })).filter((name) =>
        /\.(csv|json|md|tex|tmp|lock)$/.test(name),
      ),
    ).toEqual(["export.json"]);
  });

  test("refuses a folder with other files", async () => {
    await writeFile(at("file.txt"), "");
    await expect(exportRuns(runs, folder)).rejects.toThrow(InputError);
  });

  test("refuses a run with a changed shard", async () => {
    const inputs = await elementInputs(folder);
    const run = await smallRun(at("changed"), inputs, { models: [dinucleotideModel("m", 3)] });
    const [{ folder: cell }] = await readResults(run);
    const shard = join(cell, "rows", "001-of-001.jsonl");
    await writeFile(shard, (await readFile(shard, "utf8")).replace(/"data":"./, '"data":"A'));
    await expect(exportRuns([run], at("of-changed"), { formats: ["csv"] })).rejects.toThrow(
      /damaged|changed/,
    );
  });
});

describe("strata", () => {
  test("are columns of the rows, and records with their metrics", async () => {
    const inputs = await elementInputs(folder);
    const run = await smallRun(at("strata-run"), inputs, { models: [dinucleotideModel("m", 3)] });
    await stratifyRun(run, { by: ["chromosome"] });
    await exportRuns([run], at("strata"), { formats: ["csv", "parquet", "json"] });
    const rows = await parquetOf(at("strata", `${ROWS}.parquet`));
    expect(rows.map((row) => row["strata.chromosome"])).toEqual(rows.map(({ chrom }) => chrom));
    const records = JSON.parse(await readFile(at("strata", "strata.json"), "utf8"));
    expect(
      records.map(({ property, stratum, rows }: Record<string, unknown>) => [property, stratum, rows]),
    ).toEqual(["chr1", "chr5", "chr6", "chr10"].map((name) => ["chromosome", name, 15]));
    const { rows: counted } = await queryRuns(
      "SELECT strata_chromosome, count(*) FROM rows GROUP BY 1 ORDER BY 1",
      [run],
    );
    expect(counted).toEqual([
      ["chr1", 15],
      ["chr10", 15],
      ["chr5", 15],
      ["chr6", 15],
    ]);
    const [{ folder: cell }] = await readResults(run);
    const file = join(cell, "strata.tsv");
    await writeFile(file, (await readFile(file, "utf8")).replace("\n7\t", "\n8\t"));
    await expect(exportRuns([run], at("strata"))).rejects.toThrow("these are not the rows of the result");
  });
});

describe("Parquet files", () => {
  test("have the schema of the fields", async () => {
    await exportRuns([runs[0]], at("schema"), { formats: ["parquet"] });
    const { schema, num_rows: rows } = await parquetMetadataAsync(
      await asyncBufferFromFile(at("schema", `${ROWS}.parquet`)),
    );
    expect(rows).toBe(60n);
    const types = Object.fromEntries(schema.map(({ name, type, converted_type: as }) => [name, as ?? type]));
    expect(types).toMatchObject({
      row: "INT32",
      chrom: "UTF8",
      start: "INT32",
      "b_model.zero-shot.corrected.element.log_likelihood": "DOUBLE",
    });
  });
});

describe("dart-eval export", () => {
  test("writes the requested formats and names them", async () => {
    const { exitCode, said } = await runCommand([
      "export",
      ...runs,
      "--out",
      at("by-command"),
      "--format",
      "csv,md",
    ]);
    expect(exitCode).toBe(0);
    expect(said).toContain(`${ROWS}.csv`);
    expect((await readdir(at("by-command"))).sort()).toEqual([
      "cells.csv",
      "columns.csv",
      "export.json",
      "metrics.csv",
      "rows",
      "tables",
    ]);
  });

  test.each([
    [["--out", "x", "--format", "xlsx"], /"xlsx" is not a format.*csv, parquet/s],
    [["--out", "rows.csv"], /an export is a folder.*--format csv/s],
    [[], /--out/],
  ])("refuses %j", async (words, message) => {
    const { exitCode, said } = await runCommand(["export", runs[0], ...words]);
    expect(said).toMatch(message);
    expect(exitCode).toBe(2);
  });

  test("has all formats in its help", async () => {
    const { printed } = await runCommand(["export", "--help"]);
    for (const format of EXPORT_FORMATS) expect(printed).toContain(format);
  });
});
