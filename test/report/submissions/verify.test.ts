import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestFile } from "../../../src/base/digest.ts";
import { writeRegulatoryElements } from "../../../src/datasets/regulatory-elements/table.ts";
import { type Cell, cellIdentity } from "../../../src/evaluation/runs/cell.ts";
import { readResults, sealed } from "../../../src/evaluation/runs/stored-results.ts";
import { asKind } from "../../../src/evaluation/tasks/prediction.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { repository } from "../../source-files.ts";
import { dinucleotideModel, elementInputs, smallRun } from "../export/small-run.ts";
import { forgeCell } from "./rewritten-shard.ts";

let folder: string;
let run: string;
/** Cell of the run: its folder's name. */
let name: string;
let genome: string;
let table: string;
const at = (...parts: readonly string[]) => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-verify-"));
  const inputs = await elementInputs(folder);
  ({ genome } = inputs);
  table = at("elements.tsv");
  await writeRegulatoryElements(table, inputs.elements);
  run = await smallRun(
    at("run"),
    { genome, elements: table },
    { models: [dinucleotideModel("model", 1.25)] },
  );
  const [{ folder: cell }] = await readResults(run);
  name = cell.slice(run.length + 1);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the run's cell in a folder of its own. */
async function copy(to: string): Promise<string> {
  await cp(join(run, name), at(to), { recursive: true });
  return at(to);
}

const verify = (...words: readonly string[]) => runCommand(["verify", ...words]);

type Json = Record<string, unknown> & { metrics: { value: number; intervals: { low: number }[] }[] };

/** Edits result.json; `seal` also replaces its digest. */
async function editResult(cell: string, edit: (result: Json) => void, seal = false) {
  const file = join(cell, "result.json");
  const { sha256, ...result } = JSON.parse(await readFile(file, "utf8"));
  edit(result);
  await writeFile(file, JSON.stringify(seal ? sealed(result) : { ...result, sha256 }));
}

describe("dart-eval verify", () => {
  test("accepts a run, a cell of one, and a cell in another folder", async () => {
    for (const path of [run, join(run, name), await copy("honest")]) {
      const { exitCode, printed } = await verify(path);
      expect(printed).toMatch(
        /regulatory-elements × model × zero-shot.*: verified, 60 rows, \d metrics, \d intervals/,
      );
      expect(exitCode).toBe(0);
    }
  });

  test("accepts a run with the data that it was made from", async () => {
    const { exitCode, printed } = await verify(run, "--genome", genome, "--data", table);
    expect(printed).toContain("verified");
    expect(exitCode).toBe(0);
  });

  test("accepts a cell whose files have the keys of version 0.1.0", async () => {
    const cell = await copy("first");
    const former = (text: string) =>
      text
        .replaceAll('"description":', '"says":')
        .replaceAll("rowsWithUnknownBases", "rowsWithUnknownLetters");
    const metrics = join(cell, "metrics.json");
    const now = await readFile(metrics, "utf8");
    expect(former(now)).not.toBe(now);
    await writeFile(metrics, former(now));
    await editResult(
      cell,
      (result) => Object.assign(result, JSON.parse(former(JSON.stringify(result))), { formatVersion: 1 }),
      true,
    );
    const { exitCode, printed } = await verify(cell);
    expect(printed).toContain("verified");
    expect(exitCode).toBe(0);
  });

  test("accepts other wording of titles, descriptions and notes, and lists it", async () => {
    const cell = await copy("reworded");
    const former = (text: string) =>
      text
        .replace('"title":"paired accuracy"', '"title":"pairs ranked right"')
        .replace('"notes":[', '"notes":["of another version",');
    await editResult(
      cell,
      (result) => {
        const text = former(JSON.stringify(result));
        expect(text).toContain("ranked right");
        expect(text).toContain("of another version");
        Object.assign(result, JSON.parse(text));
      },
      true,
    );
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/: verified, 60 rows/);
    expect(printed).toContain(
      "2 texts worded differently by this version of dart-eval: result: metrics: paired-accuracy: title; result: notes",
    );
    expect(exitCode).toBe(0);
    const [outcome] = JSON.parse((await verify(cell, "--json")).printed);
    expect(outcome).toMatchObject({ verified: true, mismatches: [] });
    expect(outcome.rewordedTexts).toHaveLength(2);
    expect(JSON.parse((await verify(run, "--json")).printed)[0].rewordedTexts).toEqual([]);
  });

  test("accepts and reports a run of version 0.1.0 whose titles and notes had another wording", async () => {
    const earlier = join(repository, "test/golden/earlier-run");
    const { exitCode, printed } = await verify(earlier);
    expect(printed).toMatch(
      /variant-effects african-caqtls × kmer-markov-2 × zero-shot.*: verified, 60 rows, 8 m/,
    );
    expect(printed).toMatch(/texts worded differently by this version of dart-eval: .*auroc-p: title/);
    expect(exitCode).toBe(0);
    const [{ result }] = await readResults(earlier);
    expect(result.metrics.map(({ quantity }) => quantity)).toContain(
      "pearson, allele 2 − allele 1 against the effect of allele 2",
    );
    const report = await runCommand(["report", earlier, "--format", "md"]);
    expect(report.printed).toContain("Pearson r over QTLs");
    expect(report.exitCode).toBe(0);
  });

  test("names a text that should not be there and a changed direction of a metric", async () => {
    const cell = await copy("directions");
    await editResult(
      cell,
      ({ metrics: [metric] }) => {
        Object.assign(metric, { better: "lower", column: "accuracy" });
      },
      true,
    );
    const { exitCode, printed } = await verify(cell);
    expect(printed).toContain('result: metrics: paired-accuracy: better is "lower"; recomputed: "higher"');
    expect(printed).toContain('result: metrics: paired-accuracy: column is "accuracy"; recomputed: absent');
    expect(exitCode).toBe(1);
  });

  test("names a changed score of scores.tsv by line, column and row", async () => {
    const cell = await copy("score");
    const file = join(cell, "scores.tsv");
    const lines = (await readFile(file, "utf8")).split("\n");
    lines[8] = lines[8].replace(/\t-(\d)/, "\t-1$1");
    await writeFile(file, lines.join("\n"));
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(
      /scores\.tsv:9: seq_score of row 7 is -1\d+\.\d+; the stored scores give -\d+\.\d+/,
    );
    expect(exitCode).toBe(1);
  });

  test("names a missing line of scores.tsv", async () => {
    const cell = await copy("line");
    const file = join(cell, "scores.tsv");
    await writeFile(file, (await readFile(file, "utf8")).replace(/.*\n$/, ""));
    const { exitCode, printed } = await verify(cell);
    expect(printed).toContain("scores.tsv has 59 rows; 60 are stored");
    expect(exitCode).toBe(1);
  });

  test("names changed bytes of the stored rows", async () => {
    const cell = await copy("bytes");
    const file = join(cell, "rows", "001-of-001.jsonl");
    await writeFile(file, (await readFile(file, "utf8")).replace(/"data":"./, '"data":"A'));
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/001-of-001\.jsonl is damaged at line 2/);
    expect(exitCode).toBe(1);
  });

  test("names the metrics that a forged score changes, even with valid checksums", async () => {
    const cell = await copy("forged-score");
    await forgeCell(cell, (prediction) => {
      const { values, ...rest } = asKind("likelihood", prediction);
      return { ...rest, values: rest.row === 7 ? [values[1], values[0]] : values };
    });
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/scores\.tsv:9: seq_score of row 7/);
    expect(printed).toMatch(/result: metrics: paired-accuracy: value is 0\.\d+; recomputed: 0\.\d+/);
    expect(exitCode).toBe(1);
  });

  test("names a forged label, which the counts and the data contradict", async () => {
    const cell = await copy("forged-label");
    await forgeCell(cell, (prediction) =>
      prediction.row === 7 ? { ...prediction, facts: { ...prediction.facts, same: 1 } } : prediction,
    );
    const { printed } = await verify(cell, "--genome", genome, "--data", table);
    expect(printed).toContain("result: counts: rowsWithEqualSequences is 0; recomputed: 1");
    expect(printed).toContain("same of row 7 is 1; the data have 0");
    const alone = await verify(cell);
    expect(alone.exitCode).toBe(1);
  });

  test("names a changed metric, by the digest and by the recomputed value", async () => {
    const cell = await copy("metric");
    await editResult(cell, ({ metrics: [metric] }) => {
      metric.value = 0.99;
    });
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/the contents of the result have the SHA-256 \w{64}; recorded is/);
    expect(printed).toMatch(/result: metrics: paired-accuracy: value is 0\.99; recomputed: 0\.\d+/);
    expect(exitCode).toBe(1);
  });

  test("names a forged interval by its method", async () => {
    const cell = await copy("interval");
    await editResult(
      cell,
      ({ metrics: [metric] }) => {
        metric.intervals[0].low += 1e-6;
      },
      true,
    );
    const { exitCode, printed } = await verify(cell, "--json");
    const [{ mismatches, verified }] = JSON.parse(printed);
    expect(verified).toBe(false);
    expect(mismatches).toHaveLength(1);
    expect(mismatches[0]).toMatch(
      /metrics: paired-accuracy: intervals: genomic-block-wilson: low is 0\.\d+; recomputed: 0\.\d+/,
    );
    expect(exitCode).toBe(1);
  });

  test("names a changed metrics.json", async () => {
    const cell = await copy("metrics");
    const file = join(cell, "metrics.json");
    await writeFile(file, (await readFile(file, "utf8")).replace(/"acc": [\d.]+/, '"acc": 1'));
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/metrics\.json: acc is 1; recomputed: 0\.\d+/);
    expect(exitCode).toBe(1);
  });

  test("names another number of rows and another model", async () => {
    const cell = await copy("identity");
    await editResult(
      cell,
      (result) => {
        result.rows = { ...(result.rows as object), selected: 59 };
        result.cell = { ...(result.cell as object), seed: 1 };
      },
      true,
    );
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/the identity is \w{64}; that of the cell is \w{64}/);
    expect(printed).toMatch(/60 rows; the run was planned with 59/);
    expect(exitCode).toBe(1);
  });

  test("names scores of another setting", async () => {
    const cell = await copy("setting");
    await editResult(
      cell,
      (result) => {
        result.cell = { ...(result.cell as Cell), setting: "probed" };
        result.identity = cellIdentity(result.cell as Cell);
      },
      true,
    );
    const { exitCode, printed } = await verify(cell);
    expect(printed).toMatch(/belongs to another run/);
    expect(exitCode).toBe(1);
    // A forger would also change the identity in the rows.
    const { identity } = JSON.parse(await readFile(join(cell, "result.json"), "utf8"));
    const file = join(cell, "rows", "001-of-001.jsonl");
    const text = await readFile(file, "utf8");
    const before = JSON.parse(text.slice(0, text.indexOf("\n"))).cell;
    await writeFile(file, text.replace(before, identity));
    const done = join(cell, "rows", "001-of-001.done.json");
    const record = JSON.parse(await readFile(done, "utf8"));
    await writeFile(done, JSON.stringify({ ...record, cell: identity, sha256: await digestFile(file) }));
    const again = await verify(cell);
    expect(again.printed).toMatch(/the stored scores are not those of the setting probed/);
    expect(again.exitCode).toBe(1);
  });

  test("names other data by input", async () => {
    const other = at("other.fa");
    await writeFile(other, (await readFile(genome, "utf8")).replaceAll("ACGT", "ACGA"));
    const { exitCode, printed } = await verify(run, "--genome", other, "--data", table);
    expect(printed).toMatch(/genome has the SHA-256 \w{64}; the result has \w{64}/);
    expect(exitCode).toBe(1);
  });

  test.each([
    ["a missing folder", async () => at("nothing"), /no such file or folder/],
    ["another folder", async () => folder, /neither a run, nor a cell of one, nor a leaderboard/],
    [
      "a result that is not JSON",
      async () => {
        const cell = await copy("no-json");
        await writeFile(join(cell, "result.json"), "{");
        return cell;
      },
      /result\.json: not valid JSON/,
    ],
    [
      "a result without scores",
      async () => {
        const cell = await copy("no-rows");
        await rm(join(cell, "rows"), { recursive: true });
        return cell;
      },
      /the scores of this result are missing/,
    ],
  ])("exits with 2 for %s", async (_, path, message) => {
    const { exitCode, said } = await verify(await path());
    expect(said).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
