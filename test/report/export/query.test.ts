import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { queryRuns } from "../../../src/report/export/query.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { parseCsv } from "./parse-csv.ts";
import { dinucleotideModel, elementInputs, smallRun } from "./small-run.ts";

let folder: string;
let runs: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-query-"));
  const inputs = await elementInputs(folder);
  runs = [
    await smallRun(join(folder, "a"), inputs, { models: [dinucleotideModel("a 'model'", 1.25)] }),
    await smallRun(join(folder, "b"), inputs, { models: [dinucleotideModel("b", 2.5)], protocol: "paper" }),
  ];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("queryRuns", () => {
  test("computes the metrics of the results from the rows of several runs", async () => {
    const { columns, rows } = await queryRuns(
      `SELECT model, protocol, count(*) AS n, avg((element_log_likelihood > control_log_likelihood)::INT) AS accuracy,
         median(element_log_likelihood - control_log_likelihood) AS median
       FROM rows GROUP BY ALL ORDER BY model`,
      runs,
    );
    expect(columns).toEqual(["model", "protocol", "n", "accuracy", "median"]);
    const results = (await Promise.all(runs.map(readResults))).flat();
    for (const [i, { result }] of results.entries()) {
      const { acc, median_diff: median } = result.published;
      expect(rows[i].slice(0, 3)).toEqual([result.cell.model.name, result.cell.protocol, 60]);
      expect(rows[i][3]).toBeCloseTo(acc!, 12);
      expect(rows[i][4]).toBeCloseTo(median!, 9);
    }
  });

  test("has metrics and cells as exported", async () => {
    const { rows } = await queryRuns(
      "SELECT model, value, low FROM metrics JOIN cells USING (cell, model) WHERE main = 1 AND interval = 1 ORDER BY model",
      runs,
    );
    const results = (await Promise.all(runs.map(readResults))).flat();
    expect(rows).toEqual(
      results.map(({ result: { cell, metrics } }) => [
        cell.model.name,
        metrics[0].value,
        metrics[0].intervals[0].low,
      ]),
    );
  });

  test("returns values that JSON can represent", async () => {
    const { rows } = await queryRuns(
      "SELECT 9007199254740993::BIGINT, 12::BIGINT, DATE '2026-01-02', [1, 2], {'a': 'b'}, NULL, 'nan'::DOUBLE, true",
      [runs[0]],
    );
    expect(rows).toEqual([
      ["9007199254740993", 12, "2026-01-02T00:00:00.000Z", [1, 2], { a: "b" }, null, "NaN", true],
    ]);
  });

  test.each([
    ["reads no other file", "SELECT * FROM read_csv('FILE')", /Permission Error/],
    ["reads no other file as text", "SELECT * FROM read_text('FILE')", /Permission Error/],
    ["lists no folder", "SELECT * FROM glob('FOLDER/*')", /Permission Error/],
    ["writes no file", "COPY (SELECT 1) TO 'FOLDER/written.csv'", /Permission Error/],
    ["opens no database", "ATTACH 'FOLDER/written.db'", /Permission Error/],
    ["installs no extension", "INSTALL httpfs", /Permission Error/],
    ["opens no address", "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')", /Permission Error|disabled/],
    ["cannot allow it again", "SET enable_external_access = true", /configuration has been locked/],
    ["cannot allow other folders", "SET allowed_directories = ['/']", /configuration has been locked/],
  ])("%s", async (_, sql, message) => {
    const file = join(folder, "secret.csv");
    await writeFile(file, "secret\n1\n");
    const before = await readdir(folder);
    await expect(queryRuns(sql.replace("FILE", file).replace("FOLDER", folder), [runs[0]])).rejects.toThrow(
      message,
    );
    expect(await readdir(folder)).toEqual(before);
  });

  test.each([
    ["an empty query", "", /^the query is empty$/],
    ["a folder", ".", /^\. is a folder$/],
    ["a long name, cut", `SELECT ${"x".repeat(3000)} FROM metrics`, /^.{300}…$/],
  ])("names what is wrong: %s", async (_, sql, message) => {
    await expect(queryRuns(sql, [runs[0]])).rejects.toThrow(message);
  });

  test("names an error of the SQL", async () => {
    await expect(queryRuns("SELECT nothing FROM metrics", [runs[0]])).rejects.toThrow(
      /^Binder Error.*"nothing".* \(LINE 1: SELECT nothing FROM metrics\)$/,
    );
  });
});

describe("dart-eval query", () => {
  const query = (...words: readonly string[]) =>
    runCommand(["query", "SELECT model, 0.5 AS half, NULL AS no FROM cells ORDER BY 1", ...runs, ...words]);

  test("prints a table, JSON or CSV", async () => {
    expect((await query()).printed).toMatch(/^2 rows\n\nmodel +half +no\n─.*\na 'model' +0\.5\nb +0\.5$/);
    expect(JSON.parse((await query("--json")).printed)).toEqual([
      { model: "a 'model'", half: 0.5, no: null },
      { model: "b", half: 0.5, no: null },
    ]);
    const { printed, exitCode } = await query("--csv");
    expect(parseCsv(`${printed}\r\n`)).toEqual([
      ["model", "half", "no"],
      ["a 'model'", "0.5", ""],
      ["b", "0.5", ""],
    ]);
    expect(exitCode).toBe(0);
  });

  test("exits with 2 for invalid SQL", async () => {
    const { exitCode, said } = await runCommand(["query", "SELEC", runs[0]]);
    expect(said).toContain("Parser Error");
    expect(exitCode).toBe(2);
  });
});
