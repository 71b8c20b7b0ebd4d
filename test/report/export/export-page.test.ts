import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { exportRuns } from "../../../src/report/export/export-runs.ts";
import { repository } from "../../source-files.ts";
import { dinucleotideModel, elementInputs, smallRun } from "./small-run.ts";

/** `$DART_EVAL_TEST_PYTHON`, a Python with pandas and pyarrow; default: python3. */
const python = process.env.DART_EVAL_TEST_PYTHON ?? "python3";
const hasPandas = spawnSync(python, ["-c", "import pandas, pyarrow"]).status === 0;
const hasR = spawnSync("Rscript", ["--version"]).status === 0;

const page = readFileSync(join(repository, "docs", "export.md"), "utf8");

/** Code of the page's block in a language. */
function snippet(language: string): string {
  const [, code] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page) ?? [];
  if (code === undefined) throw new Error(`docs/export.md has no block of ${language}`);
  return code;
}

let folder: string;
let accuracy: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-export-page-"));
  const run = await smallRun(join(folder, "run"), await elementInputs(folder), {
    models: [dinucleotideModel("kmer-markov-3", 1.25), dinucleotideModel('other "model"', 2)],
  });
  await exportRuns([run], join(folder, "export"));
  const [{ result }] = await readResults(run);
  accuracy = String(result.metrics[0].value);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Output of a program in the folder of the export. */
function outputOf(program: string, words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: "utf8" });
  expect(stderr).not.toMatch(/error/i);
  expect(status, stderr).toBe(0);
  return stdout;
}

describe("the snippets of docs/export.md", () => {
  test.skipIf(!hasPandas)("pandas prints the exported numbers [needs Python with pandas and pyarrow]", () => {
    const printed = outputOf(python, ["-c", snippet("python")]);
    expect(printed).toMatch(/chr1 +\d/);
    expect(printed).toContain(accuracy.slice(0, 6));
  });

  test.skipIf(!hasPandas)(
    "pandas reads equal values from CSV and Parquet [needs Python with pandas and pyarrow]",
    () => {
      const compare = `
import glob, pandas as pd
for file in sorted(glob.glob("export/**/*.csv", recursive=True)):
    csv = pd.read_csv(file)
    parquet = pd.read_parquet(file[:-3] + "parquet")
    assert list(csv.columns) == list(parquet.columns), file
    for name in csv.columns:
        a, b = csv[name], parquet[name]
        assert ((a == b) | (a.isna() & b.isna())).all(), (file, name)
    print(file, len(csv))`;
      expect(outputOf(python, ["-c", compare])).toContain("export/rows/regulatory-elements.csv 60");
    },
  );

  test.skipIf(!hasPandas)("the notebook runs [needs Python with pandas and pyarrow]", () => {
    const { cells } = JSON.parse(readFileSync(join(repository, "docs", "export.ipynb"), "utf8")) as {
      cells: readonly { cell_type: string; source: readonly string[] }[];
    };
    const code = cells.flatMap(({ cell_type: type, source }) => (type === "code" ? [source.join("")] : []));
    const printed = outputOf(python, ["-c", code.join("\n")]);
    expect(printed).toContain(accuracy.slice(0, 6));
    expect(printed).toContain("log-likelihood of the element, nats");
    expect(printed).toMatch(/chr10 +\d/);
  });

  test.skipIf(!hasR)("R prints the exported numbers [needs Rscript]", () => {
    const printed = outputOf("Rscript", ["-e", snippet("r")]);
    expect(printed).toMatch(/chr1/);
    expect(printed).toContain(accuracy.slice(0, 6));
  });
});
