import { copyFile, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { InputError } from "../../../src/base/errors.ts";
import { stableStringify } from "../../../src/base/json.ts";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { ProgressEvent } from "../../../src/evaluation/runs/progress.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { batchLine, readShardFile } from "../../../src/evaluation/runs/shard-file.ts";
import { readResults, withPresentNames } from "../../../src/evaluation/runs/stored-results.ts";
import {
  type LikelihoodPrediction,
  ofKind,
  type Prediction,
} from "../../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";
import type { MeasureWork, Task } from "../../../src/evaluation/tasks/task.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
let folder: string;
beforeEach(() => {
  root = temporaryFolder();
  folder = join(root, "run");
});

const task = fakeTask();

async function shards(indices: readonly number[], { count = 3, into = folder, seed = 0 } = {}) {
  for (const index of indices) {
    const plan = await planRun({
      tasks: [{ task, inputs: {} }],
      models: [fakeModel()],
      folder: into,
      shard: { index, count },
      seed,
      timing: false,
    });
    await runShard(plan);
  }
  const cell = (await readdir(into)).find((name) => name !== "plan.json")!;
  return join(into, cell, "rows");
}

/** Changes the predictions of a finished shard, with valid checksums. @param file  without its ending */
async function changeShard(file: string, change: (row: LikelihoodPrediction) => LikelihoodPrediction) {
  const [header] = (await readFile(`${file}.jsonl`, "utf8")).split("\n", 1);
  const predictions: Prediction[] = [];
  await readShardFile(`${file}.jsonl`, (batch) => predictions.push(...batch));
  const changed = PredictionColumns.of(ofKind("likelihood", predictions).map(change));
  const text = `${header}\n${batchLine(0, changed, "0.1.0+test", undefined).line}`;
  const done = JSON.parse(await readFile(`${file}.done.json`, "utf8"));
  await writeFile(`${file}.jsonl`, text);
  await writeFile(`${file}.done.json`, JSON.stringify({ ...done, sha256: sha256Hex(text) }));
}

async function refusal(): Promise<string> {
  const error = await mergeRun(folder, { tasks: [task] }).catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
  expect(await readdir(join(folder, cell)), "nothing is written").toEqual(["rows"]);
  return error.describe();
}

test("removes leftovers of a killed merge", async () => {
  const rows = await shards([1, 2, 3]);
  const cell = join(rows, "..");
  for (const name of ["scores.tsv", "result.json"]) {
    await writeFile(join(cell, `.${name}.4711.01234567.tmp`), "half");
  }
  await mergeRun(folder, { tasks: [task] });
  expect((await readdir(cell)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(await readdir(folder)).not.toContain("merge.lock");
});

test("refuses a result with an infinite number", async () => {
  const rows = await shards([1, 2, 3]);
  await mergeRun(folder, { tasks: [task] });
  const path = join(rows, "..", "result.json");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/"rows": \d+/, '"rows": 1e400'));
  await expect(readResults(folder)).rejects.toThrow(/the number under "rows" is out of range/);
});

describe("incomplete shards are named", () => {
  test("missing", async () => {
    await shards([1, 3]);
    expect(await refusal()).toMatch(/002-of-003 is missing: run it with --shard 2\/3/);
  });

  test("a shard of an untrusted split that does not fit in memory", async () => {
    const rows = await shards([1, 2, 3]);
    const header = JSON.parse((await readFile(join(rows, "001-of-003.jsonl"), "utf8")).split("\n", 1)[0]);
    for (const name of await readdir(rows)) await rm(join(rows, name));
    header.shard = { index: 1, count: 2 ** 40 };
    await writeFile(join(rows, "001-of-1099511627776.jsonl"), `${JSON.stringify(header)}\n{}\n`);
    expect(await refusal()).toMatch(/:1: this is not the header of a shard/);
  });

  test("a row with other values and valid checksums", async () => {
    const rows = await shards([1, 2, 3]);
    await changeShard(join(rows, "002-of-003"), (row) => ({ ...row, values: [1] }));
    expect(await refusal()).toMatch(/row \d+ has another kind or number of values than row \d+/);
  });

  test("a row of another shard in the last of several cells", async () => {
    const models = [fakeModel({ name: "first" }), fakeModel({ name: "second" })];
    const cells: string[] = [];
    for (const index of [1, 2]) {
      const shard = { index, count: 2 };
      const plan = await planRun({ tasks: [{ task, inputs: {} }], models, folder, shard, timing: false });
      await runShard(plan);
      cells.push(...plan.cells.map(({ name }) => name));
    }
    await changeShard(join(folder, cells[1], "rows", "001-of-002"), (row) => ({ ...row, row: row.row + 1 }));
    await expect(mergeRun(folder, { tasks: [task] })).rejects.toThrow(
      /contains row \d+, which belongs to another shard/,
    );
    for (const cell of cells) expect(await readdir(join(folder, cell))).toEqual(["rows"]);
  });

  test("several errors at once", async () => {
    const rows = await shards([2], { count: 4 });
    await copyFile(join(rows, "002-of-004.jsonl"), join(rows, "003-of-004.jsonl"));
    const message = await refusal();
    expect(message).toContain("003-of-004.jsonl and 002-of-004.jsonl are both shard 2: delete the copy");
    expect(message).toContain("001-of-004 is missing");
    expect(message).toContain("004-of-004 is missing");
  });

  test("not finished", async () => {
    const rows = await shards([1, 2, 3]);
    await rm(join(rows, "002-of-003.done.json"));
    expect(await refusal()).toMatch(
      /002-of-003\.jsonl is not finished: (\d+) of \1 rows; resume with --shard 2\/3/,
    );
    const file = join(rows, "002-of-003.jsonl");
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, `${lines.slice(0, 3).join("\n")}\n`);
    expect(await refusal()).toMatch(/002-of-003\.jsonl is not finished: 10 of \d+ rows/);
    await shards([2]);
    expect(await mergeRun(folder, { tasks: [task] })).toHaveLength(1);
  });

  test("damaged in the last line, with a remedy that works", async () => {
    const rows = await shards([1, 2, 3]);
    const file = join(rows, "002-of-003.jsonl");
    const text = await readFile(file, "utf8");
    const lines = text.trimEnd().split("\n").length;
    await writeFile(file, text.replace(/.{5}\n$/, "xxxxx\n"));
    expect(await refusal()).toMatch(
      new RegExp(
        `002-of-003.jsonl is damaged at line ${lines}: .*delete 002-of-003.done.json and .*--shard 2/3`,
      ),
    );
    await rm(join(rows, "002-of-003.done.json"));
    expect(await refusal()).toMatch(
      new RegExp(`damaged at line ${lines}: .*run the command again with --shard 2/3`),
    );
    await shards([2]);
    expect(await readFile(file, "utf8")).toBe(text);
    await writeFile(file, `x${text.split("\n", 1)[0]}\n`);
    expect(await refusal()).toMatch(
      /002-of-003.jsonl is damaged at line 1: .*; delete it and 002-of-003.done.json/,
    );
    await rm(file);
    await rm(join(rows, "002-of-003.done.json"));
    await shards([2]);
    expect(await mergeRun(folder, { tasks: [task] })).toHaveLength(1);
  });

  test("duplicate under another name", async () => {
    const rows = await shards([1, 2, 3]);
    await copyFile(join(rows, "002-of-003.jsonl"), join(rows, "002-of-003 (copy).jsonl"));
    expect(await refusal()).toContain("are both shard 2: delete the copy");
  });

  test("renamed", async () => {
    const rows = await shards([1, 2, 3]);
    await rename(join(rows, "002-of-003.jsonl"), join(rows, "2.jsonl"));
    expect(await refusal()).toContain("2.jsonl is shard 2: its name should be 002-of-003.jsonl");
  });

  test("of another run", async () => {
    const rows = await shards([1, 2, 3]);
    const others = await shards([2], { into: join(root, "other"), seed: 1 });
    await copyFile(join(others, "002-of-003.jsonl"), join(rows, "002-of-003.jsonl"));
    expect(await refusal()).toMatch(
      /002-of-003\.jsonl belongs to another run \(cell [0-9a-f]{8}\): move it away/,
    );
  });

  test("of another split", async () => {
    const rows = await shards([1, 2, 3]);
    const others = await shards([1], { into: join(root, "other"), count: 2 });
    await copyFile(join(others, "001-of-002.jsonl"), join(rows, "001-of-002.jsonl"));
    expect(await refusal()).toContain("001-of-002.jsonl is of a split into 2, others are of a split into 3");
  });

  test("changed after they were finished", async () => {
    const rows = await shards([1, 2, 3]);
    const file = join(rows, "003-of-003.jsonl");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('"batchSize":10', '"batchSize":11'));
    expect(await refusal()).toContain("003-of-003.jsonl was changed after it was finished");
  });

  test("no shards", async () => {
    const rows = await shards([1, 2, 3]);
    await rm(rows, { recursive: true });
    const error = await mergeRun(folder, { tasks: [task] }).catch((error) => error);
    expect(error.message).toContain("no shard was run yet");
  });
});

test("a folder without a run, and a run without a result", async () => {
  await expect(mergeRun(root)).rejects.toThrow("no run in this folder");
  await expect(readResults(root)).rejects.toThrow("no run in this folder");
  await shards([1, 2, 3]);
  const error = await readResults(folder).catch((error) => error);
  expect(error.describe()).toContain(`dart-eval merge ${folder}`);
});

test("refuses rows of another version of the task", async () => {
  await shards([1, 2, 3]);
  await expect(mergeRun(folder, { tasks: [fakeTask({ version: 2 })] })).rejects.toThrow(
    "scored by version 1 of the task",
  );
});

test("refuses a result edited after merging", async () => {
  await shards([1, 2, 3]);
  await mergeRun(folder, { tasks: [task] });
  const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
  const file = join(folder, cell, "result.json");
  const written = await readFile(file, "utf8");
  await writeFile(file, written.replace(/"value": /, '"value": 1'));
  expect(await readFile(file, "utf8")).not.toBe(written);
  const error = await readResults(folder).catch((error) => error);
  expect(error.place.file).toBe(file);
  expect(error.describe()).toMatch(/was changed after it was written\n {2}.*dart-eval merge/);
  await mergeRun(folder, { tasks: [task] });
  expect(await readFile(file, "utf8")).toBe(written);
});

test("names the invalid field of a result", async () => {
  await shards([1, 2, 3]);
  await mergeRun(folder, { tasks: [task] });
  const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
  const file = join(folder, cell, "result.json");
  const { sha256: _, ...result } = JSON.parse(await readFile(file, "utf8"));
  result.metrics[0].better = "more";
  await writeFile(file, JSON.stringify({ ...result, sha256: sha256Hex(stableStringify(result)) }));
  const error = await readResults(folder).catch((error) => error);
  expect(error.place.file).toBe(file);
  expect(error.message).toContain("metrics.0.better");
});

test("reads results of format version 1", async () => {
  await shards([1, 2, 3]);
  await mergeRun(folder, { tasks: [task] });
  const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
  const file = join(folder, cell, "result.json");
  const { sha256: _, ...result } = JSON.parse(await readFile(file, "utf8"));
  const effect = { paper: 0.5, corrected: null };
  const first = { ...result, formatVersion: 1, quirks: [{ label: "Q14", says: "Ties are wrong.", effect }] };
  await writeFile(file, JSON.stringify({ ...first, sha256: sha256Hex(stableStringify(first)) }));
  const [stored] = await readResults(folder);
  const quirks = [{ label: "Q14", description: "Ties are wrong.", effect }];
  expect(stored.result).toEqual({ ...result, quirks });
});

test("gives quantities of earlier results their present names", () => {
  const former = {
    quantity: "pearson, allele 2 − allele 1 with the effect turned where allele 2 is the genome's",
  };
  expect(JSON.parse(JSON.stringify([former, { quantity: "auroc" }]), withPresentNames)).toEqual([
    { quantity: "pearson, allele 2 − allele 1 against the effect of allele 2" },
    { quantity: "auroc" },
  ]);
});

test("reports and stops long measurements without writing results", async () => {
  const given: MeasureWork[] = [];
  const slow: Task = {
    ...task,
    open: async (inputs, options) => ({ ...(await task.open(inputs, options)), task: slow }),
    settings: {
      "zero-shot": {
        ...task.settings["zero-shot"],
        async measure(predictions, context) {
          given.push(context.work!);
          context.work?.onStage?.({
            stage: "thinking",
            unit: "clusterings",
            done: 1,
            total: 2,
            rowsPerSecond: 1,
            secondsLeft: 1,
          });
          context.work?.signal?.throwIfAborted();
          return task.measure(predictions, context);
        },
      },
    },
  };
  const rows = await shards([1], { count: 1 });
  const controller = new AbortController();
  const stages: string[] = [];
  const onProgress = (event: ProgressEvent) => {
    if (event.kind === "stage") stages.push(event.stage);
    controller.abort(new Error("enough"));
  };
  const asked = { tasks: [slow], onProgress, signal: controller.signal };
  await expect(mergeRun(folder, asked)).rejects.toThrow("enough");
  expect(stages).toEqual(["fake-model under the corrected protocol, thinking"]);
  expect(given[0].folder).toBe(join(rows, ".."));
  expect(await readdir(given[0].folder!)).toEqual(["rows"]);
  const [result] = await mergeRun(folder, { tasks: [slow] });
  const events: unknown[] = [];
  const evaluation = await evaluate({
    task: slow,
    inputs: {},
    model: fakeModel(),
    onProgress: (event) => events.push(event),
  });
  expect(evaluation.metrics).toEqual(result.metrics);
  expect(given.at(-1)!.folder).toBeUndefined();
  expect(events).toContainEqual(expect.objectContaining({ kind: "stage", stage: "thinking", total: 2 }));
});
