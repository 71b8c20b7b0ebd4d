import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { readPositionScores, writePositionScores } from "../../../src/evaluation/runs/position-scores.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { verifyCell } from "../../../src/evaluation/runs/verify-cell.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";
import { bestAndWorst } from "../../../src/evaluation/tasks/row-view.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import type { Model, TokenOptions } from "../../../src/models/model.ts";
import { submittedCells } from "../../../src/report/submissions/submitted-cells.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeTask } from "../fake-task.ts";

/** The fake task with the difference of a sequence and its reverse as the score of a row. */
const task: Task = {
  ...fakeTask({ rows: 30 }),
  open: async (inputs, options) => ({ ...(await fakeTask({ rows: 30 }).open(inputs, options)), task }),
  viewRows(given) {
    const columns = PredictionColumns.of(given);
    const [first, second] = [0, 1].map((member) => columns.numbers("values", member));
    const score = { title: "difference", values: first.map((value, i) => value - second[i]) };
    return { rows: columns.rows, facts: [], score, merit: { kind: "score" }, figures: [] };
  },
};

const SCORES = { A: -0.5, C: -1.25, G: -2, T: -1.125 } as const;

/** Log-probability of each base but the first, which grows along the sequence. */
const terms = (bases: string) =>
  Float64Array.from([...bases].slice(1), (base, i) => SCORES[base as keyof typeof SCORES] / (i + 1));

function model(): Model & { readonly asked: TokenOptions[] } {
  const asked: TokenOptions[] = [];
  return {
    name: "terms",
    identity: "terms",
    asked,
    logLikelihood: (sequences) => sequences.map((bases) => terms(bases).reduce((sum, one) => sum + one, 0)),
    tokenLogProbabilities(sequences, options) {
      asked.push(options);
      return sequences.map((bases) => {
        const values = terms(bases);
        const starts = Int32Array.from(values, (_, i) => i + 1);
        return { values, starts, ends: starts.map((start) => start + 1) };
      });
    },
  };
}

async function scored(one: Model, form = task) {
  const folder = temporaryFolder();
  const plan = await planRun({ tasks: [{ task: form, inputs: {} }], models: [one], folder, timing: false });
  await runShard(plan);
  const notes = await writePositionScores(plan, 2);
  await mergeRun(folder, { tasks: [form] });
  const [stored] = await readResults(folder);
  return { folder, notes, stored };
}

test("stores the best and the worst rows; the scores sum to the log-likelihoods", async () => {
  const { notes, stored } = await scored(model());
  expect(notes).toEqual([]);
  const lines = (await readFile(join(stored.folder, "scores.tsv"), "utf8")).trim().split("\n").slice(1);
  const rows = lines.map((line) => line.split("\t").map(Number));
  const ranked = rows.toSorted(([, a, b], [, c, d]) => c - d - (a - b)).map(([row]) => row);
  const found = await readPositionScores(stored);
  expect(found?.rows.map(({ row }) => row)).toEqual([...ranked.slice(0, 2), ...ranked.slice(-2).reverse()]);
  for (const { row, sequences } of found!.rows) {
    expect(sequences.map(({ member }) => member)).toEqual(["sequence", "reverse"]);
    sequences.forEach(({ from, bases, length, scores, spans }, member) => {
      expect([from, bases.length, spans]).toEqual([1, length - 1, undefined]);
      const sum = scores.reduce((total, score) => total + score, 0);
      expect(Math.abs(sum - rows[row][member + 1])).toBeLessThan(5e-5 * length);
    });
  }
  expect(await readPositionScores({ ...stored, result: { identity: "another" } })).toBeUndefined();
});

test("a changed file is refused, and found by the verification", async () => {
  const { stored } = await scored(model());
  const verified = async () => {
    const [cell] = await submittedCells(stored.folder);
    return (await verifyCell(cell, { tasks: [task] })).mismatches;
  };
  expect(await verified()).toEqual([]);
  const file = join(stored.folder, "positions.json");
  const text = await readFile(file, "utf8");
  const changed = text.replace(/"scores":\[[^,]*/, '"scores":[-7');
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
  await expect(readPositionScores(stored)).rejects.toThrow("changed after they were written");
  expect(await verified()).toEqual([
    "positions.json was changed after it was written",
    expect.stringMatching(/^positions\.json: the scores of the sequence of row \d+ sum to -\d/),
  ]);
  await writeFile(file, text.replace(/"bases":"[ACGT]/, '"bases":"'));
  await expect(readPositionScores(stored)).rejects.toThrow("the tokens do not cover the bases");
});

test("a repeated run scores no base again, unless the file is missing or changed, or has other rows", async () => {
  const one = model();
  const { folder, stored } = await scored(one);
  const file = join(stored.folder, "positions.json");
  const text = await readFile(file, "utf8");
  const repeated = async (count: number) => {
    one.asked.length = 0;
    const tasks = [{ task, inputs: {} }];
    await writePositionScores(await planRun({ tasks, models: [one], folder, timing: false }), count);
    return one.asked.length;
  };
  expect(await repeated(2)).toBe(0);
  expect(await repeated(1)).toBe(2);
  expect(await repeated(2)).toBe(4);
  for (const damaged of [text.replace(/"scores":\[[^,]*/, '"scores":[-7'), text.slice(0, 300)]) {
    await writeFile(file, damaged);
    expect(await repeated(2)).toBe(4);
    expect(await readFile(file, "utf8")).toBe(text);
  }
});

test("long sequences are scored around the bases that differ, models without scores of bases left out", async () => {
  const long = `${"ACGT".repeat(150)}A${"ACGT".repeat(150)}`;
  const wide: Task = {
    ...task,
    async open(inputs, options) {
      const open = await task.open(inputs, options);
      const sequences = [long, `${long.slice(0, 600)}C${long.slice(601)}`];
      const examples = async (rows: Uint32Array) =>
        Array.from(rows, (row) => ({ row, sequences, facts: {} }));
      return { ...open, task: wide, examples };
    },
  };
  const one = model();
  const { stored } = await scored(one, wide);
  expect(one.asked.map(({ within }) => within)).toEqual(Array(4).fill([550, 651]));
  const [{ sequences }] = (await readPositionScores(stored))!.rows;
  expect(sequences.map(({ from, bases, length }) => [from, bases.length, length])).toEqual([
    [550, 101, 1201],
    [550, 101, 1201],
  ]);
  const { tokenLogProbabilities: _, ...without } = model();
  const { notes, stored: plain } = await scored({ ...without, name: "plain", identity: "plain" });
  expect(notes).toEqual([expect.stringContaining("the model has no `tokenLogProbabilities`")]);
  expect(await readPositionScores(plain)).toBeUndefined();
});

test("rows of a class are better with large scores in it, errors by their size; unknown ones are left out", () => {
  const base = { rows: Uint32Array.of(10, 11, 12, 13), figures: [] };
  const score = { title: "s", values: Float64Array.of(-3, 2, 1, 5) };
  const labels = { title: "label", codes: Uint8Array.of(1, 1, 2, 0), texts: ["QTL", "control"] };
  const truth = { title: "t", values: [-3, 0, Number.NaN, 4] };
  const view = { ...base, score, facts: [labels, truth] };
  const classes = { kind: "class", fact: 0, positive: "QTL" } as const;
  expect(bestAndWorst({ ...view, merit: classes }, 1)).toEqual(Uint32Array.of(10, 12));
  expect(bestAndWorst({ ...view, merit: { kind: "error", fact: 1 } }, 2)).toEqual(Uint32Array.of(10, 13, 11));
  expect(bestAndWorst(view, 2)).toBeUndefined();
});
