import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { ProgressEvent } from "../../../src/evaluation/runs/progress.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { enterRunFolder, readRunRecord } from "../../../src/evaluation/runs/run-folder.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type FakeModel, fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const task = fakeTask();
const request = (more: Partial<RunRequest> = {}): RunRequest => ({
  tasks: [{ task, inputs: {} }],
  models: [fakeModel()],
  folder: join(root, "run"),
  timing: false,
  ...more,
});

/** Plans, runs every shard and merges; returns the bytes of the outputs. */
async function whole(folder: string, shards = 1, more: Partial<RunRequest> = {}) {
  for (let index = 1; index <= shards; index++) {
    await runShard(await planRun(request({ folder, shard: { index, count: shards }, ...more })));
  }
  await mergeRun(folder, { tasks: [task] });
  return outputs(folder);
}

async function outputs(folder: string) {
  const [cell] = (await readdir(folder)).filter((name) => /^[0-9a-f]{8}$/.test(name));
  const read = (name: string) => readFile(join(folder, cell, name), "utf8");
  return {
    cell: join(folder, cell),
    scores: await read("scores.tsv"),
    metrics: await read("metrics.json"),
    result: await read("result.json"),
  };
}

describe("a run", () => {
  test("scores every row, reports its outcome and writes its files", async () => {
    const folder = join(root, "run");
    const events: ProgressEvent[] = [];
    const plan = await planRun(request());
    expect(plan.cells[0]).toMatchObject({ rowsDone: 0, batchSize: 10 });
    expect(plan.cells[0].rows).toHaveLength(100);
    const [outcome] = await runShard(plan, { measure: true, onProgress: (event) => events.push(event) });
    expect(outcome).toMatchObject({ rows: 100, rowsDoneBefore: 0, rowsDone: 100, state: "done" });
    expect(outcome.measurement!.counts.rows).toBe(100);
    const [result] = await mergeRun(folder, { tasks: [task] });
    expect(result.published.sum).toBe(outcome.measurement!.published.sum);

    const batches = events.filter((event) => event.kind === "batch");
    expect(batches.map(({ batch }) => batch)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(batches.at(-1)).toMatchObject({ rowsDone: 100, rows: 100, secondsLeft: 0 });
    expect(events[0]).toMatchObject({ kind: "cell-start", rows: 100, rowsDoneBefore: 0 });
    expect(events.at(-1)).toMatchObject({ kind: "cell-done", rows: 100 });

    const { scores, cell } = await outputs(folder);
    const lines = scores.trimEnd().split("\n");
    expect(lines[0]).toBe("idx\tfirst\tsecond");
    expect(lines.slice(1).map((line) => Number(line.split("\t")[0]))).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect((await readdir(cell)).sort()).toEqual([
      "metrics.json",
      "result.json",
      "rows",
      "scores.tsv",
      "timing.json",
    ]);
    expect(await readdir(join(cell, "rows"))).toEqual(["001-of-001.done.json", "001-of-001.jsonl"]);
    const [stored] = await readResults(folder);
    expect(stored.result).toEqual(result);
    expect(stored.timing[0]).toMatchObject({ rows: 100, timedRows: 100, batchSize: 10 });
    const { started = "", finished = "" } = stored.timing[0];
    expect(Date.parse(finished)).toBeGreaterThanOrEqual(Date.parse(started));
  });

  test("puts rows of similar length together", async () => {
    const model = fakeModel();
    await runShard(await planRun(request({ models: [model] })));
    const lengths = model.calls.map((call) => call.map(({ length }) => length));
    const flat = lengths.flat();
    expect(flat).toEqual(flat.toSorted((a, b) => a - b));
    expect(lengths.every((call) => call.length <= 10)).toBe(true);
  });

  test("gives the same result for any number of shards, up to rounding between batches", async () => {
    const one = await whole(join(root, "one"));
    // With one row per call all batches are equal.
    const single = await whole(join(root, "single"), 1, { batchSize: 1 });
    const singleShards = await whole(join(root, "single-shards"), 7, { batchSize: 1 });
    expect(singleShards).toEqual({ ...single, cell: singleShards.cell });
    const three = await whole(join(root, "three"), 3);
    const numbers = (text: string) =>
      text
        .split(/\s/)
        .filter((word) => word.startsWith("-"))
        .map(Number);
    numbers(three.scores).forEach((score, i) => {
      expect(Math.abs(score / numbers(one.scores)[i] - 1)).toBeLessThan(1e-8);
    });
    expect(three.scores).not.toBe(one.scores);
  });

  test("a call is never larger than the batch size, even when a row has more sequences", async () => {
    const model = fakeModel();
    await runShard(await planRun(request({ models: [model], batchSize: 1 })));
    expect(model.calls.every((call) => call.length === 1)).toBe(true);
  });

  test("has several models, each in its own folder", async () => {
    const models = [fakeModel(), fakeModel({ identity: "fake 2" })];
    await runShard(await planRun(request({ models })));
    const results = await mergeRun(join(root, "run"), { tasks: [task] });
    expect(results.map(({ cell }) => cell.model.identity)).toEqual(["fake 1", "fake 2"]);
    expect(new Set(results.map(({ identity }) => identity)).size).toBe(2);
  });

  test("is entered by all processes that start its shards at the same time", async () => {
    const plan = await planRun(request());
    const records = plan.cells.map(({ record }) => record);
    for (let attempt = 0; attempt < 40; attempt++) {
      const folder = join(root, String(attempt));
      const start = async (process: number) => {
        for (let i = 0; i < process; i++) await setImmediate();
        await enterRunFolder(folder, records);
        await mkdir(join(folder, plan.cells[0].name), { recursive: true });
      };
      await Promise.all(Array.from({ length: 16 }, (_, process) => start(process)));
      expect((await readRunRecord(folder))?.cells).toHaveLength(1);
    }
  });

  test("runs shards without rows", async () => {
    const { result } = await whole(join(root, "few"), 9, { limit: 3 });
    expect(JSON.parse(result).counts.rows).toBe(3);
  });
});

describe("a run that is stopped", () => {
  test("resumes bit-identically and scores nothing twice", async () => {
    const reference = await whole(join(root, "reference"));
    const folder = join(root, "stopped");
    const models: FakeModel[] = [];
    for (const stopAfter of [1, 0, 5, 100]) {
      const model = fakeModel();
      models.push(model);
      const stop = new AbortController();
      let batches = 0;
      if (stopAfter === 0) stop.abort();
      const [outcome] = await runShard(await planRun(request({ folder, models: [model] })), {
        measure: true,
        signal: stop.signal,
        onProgress: (event) => {
          if (event.kind === "batch" && ++batches === stopAfter) stop.abort();
        },
      });
      expect(outcome.state).toBe(stopAfter === 100 ? "done" : "stopped");
      expect(outcome.measurement === null).toBe(stopAfter !== 100);
    }
    expect(models.map(({ calls }) => calls.length)).toEqual([1, 0, 5, 14]);
    await mergeRun(folder, { tasks: [task] });
    const again = await outputs(folder);
    expect(again).toEqual({ ...reference, cell: again.cell });
    const rows = (cell: string) => readFile(join(cell, "rows", "001-of-001.jsonl"), "utf8");
    expect(await rows(again.cell)).toBe(await rows(reference.cell));
  });

  test("finds all rows done when started again", async () => {
    const folder = join(root, "run");
    const before = await whole(folder);
    const model = fakeModel();
    const plan = await planRun(request({ models: [model] }));
    expect(plan.cells[0]).toMatchObject({
      rowsDone: 100,
      estimate: { seconds: 0, basis: "all rows are done" },
    });
    const [outcome] = await runShard(plan);
    expect(outcome).toMatchObject({ rowsDoneBefore: 100, rowsDone: 100, state: "done" });
    expect(model.calls).toEqual([]);
    await mergeRun(folder, { tasks: [task] });
    expect(await outputs(folder)).toEqual(before);
  });

  test("keeps the batch size of the first process and refuses another one", async () => {
    const folder = join(root, "run");
    const stop = new AbortController();
    const first = request({ models: [fakeModel({ batchSize: 6 })] });
    await runShard(await planRun(first), {
      signal: stop.signal,
      onProgress: ({ kind }) => kind === "batch" && stop.abort(),
    });
    const plan = await planRun(request({ models: [fakeModel({ batchSize: 20 })] }));
    expect(plan.cells[0].batchSize).toBe(6);
    await plan.close();
    await expect(planRun(request({ models: [fakeModel()], batchSize: 40 }))).rejects.toThrow(
      "has 6 sequences per call; 40 were requested",
    );
    const model = fakeModel();
    await runShard(await planRun(request({ models: [model], batchSize: 6 })));
    expect(Math.max(...model.calls.map(({ length }) => length))).toBe(6);
    expect((await mergeRun(folder, { tasks: [task] }))[0].counts.rows).toBe(100);
    // All rows are done, so batches of two sizes cannot mix.
    await (await planRun(request({ models: [model], batchSize: 40 }))).close();
  });

  test("accepts another batch size until a batch is done", async () => {
    const failing = {
      ...fakeModel(),
      async logLikelihood(): Promise<number[]> {
        throw new Error("out of memory");
      },
    };
    await expect(runShard(await planRun(request({ models: [failing], batchSize: 40 })))).rejects.toThrow(
      "out of memory",
    );
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    const smaller = await planRun(request({ models: [fakeModel()], batchSize: 6 }));
    await runShard(smaller, {
      signal: stop.signal,
      onProgress: ({ kind }) => kind === "batch" && onProgress(),
    });
    const plan = await planRun(request({ models: [fakeModel()] }));
    expect(plan.cells[0]).toMatchObject({ rowsDone: 3, batchSize: 6 });
  });
});

describe("checks the output of a model", () => {
  const scores = (change: (scores: number[], sequences: readonly string[]) => unknown) => {
    const model = fakeModel();
    let call = 0;
    return {
      ...model,
      // The third call fails, after ten rows.
      async logLikelihood(sequences: readonly string[]) {
        const given = [...(await model.logLikelihood(sequences))];
        return (++call === 3 ? change(given, sequences) : given) as number[];
      },
    };
  };
  test.each([
    [
      "NaN",
      (given: number[]) => given.with(3, Number.NaN),
      /returned NaN as the log-likelihood of the reverse of row \d+/,
    ],
    [
      "infinity",
      (given: number[]) => given.with(2, -Infinity),
      /returned -Infinity as the log-likelihood of the sequence of row/,
    ],
    ["text", (given: unknown[]) => given.with(2, "x"), /returned x as/],
    ["too few", (given: number[]) => given.slice(1), /returned 9 log-likelihoods for 10 sequences/],
    ["nothing", () => undefined, /returned undefined/],
  ])("%s", async (_, change, message) => {
    const plan = await planRun(request({ models: [scores(change as never)] }));
    const error = await runShard(plan).catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    const model = fakeModel();
    const [outcome] = await runShard(await planRun(request({ models: [model] })));
    expect(outcome.rowsDoneBefore).toBe(10);
    expect(model.calls).toHaveLength(18);
  });
});

describe("after a killed process or a disk error", () => {
  /** A run with four batches done. */
  async function begun() {
    const folder = join(root, "run");
    const stop = new AbortController();
    let batches = 0;
    await runShard(await planRun(request()), {
      signal: stop.signal,
      onProgress: (event) => {
        if (event.kind === "batch" && ++batches === 4) stop.abort();
      },
    });
    const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
    const file = join(folder, cell, "rows", "001-of-001.jsonl");
    return { folder, file, lines: (await readFile(file, "utf8")).split("\n").slice(0, -1) };
  }
  const goOn = async () => (await runShard(await planRun(request())))[0];
  /** The last letter of a line's data, A for B. */
  const flipped = (text: string) => text.replace(/.(?==*"\}$)/, (letter) => (letter === "A" ? "B" : "A"));

  test.each([
    ["half a line", (lines: string[]) => `${lines.join("\n").slice(0, -40)}`, 15],
    ["a line without its end", (lines: string[]) => lines.join("\n"), 15],
    ["a last line of zeros", (lines: string[]) => `${lines.join("\n")}\n\0\0\0\0\0`, 20],
    ["a last line with a flipped bit", (lines: string[]) => `${flipped(lines.join("\n"))}\n`, 15],
    ["half a first line", (lines: string[]) => lines[0].slice(0, 30), 0],
    ["an empty file", () => "", 0],
  ])("%s: what is sound is kept, the rest done again", async (_, damage, kept) => {
    const reference = await whole(join(root, "reference"));
    const { folder, file, lines } = await begun();
    expect(damage(lines)).not.toBe(`${lines.join("\n")}\n`);
    await writeFile(file, damage(lines));
    expect(await goOn()).toMatchObject({ rowsDoneBefore: kept, rowsDone: 100 });
    await mergeRun(folder, { tasks: [task] });
    const again = await outputs(folder);
    expect(again).toEqual({ ...reference, cell: again.cell });
  });

  test.each([
    [
      "a flipped bit",
      (lines: string[]) => lines.with(2, flipped(lines[2])),
      /jsonl:3: the rows do not match their checksum/,
    ],
    ["text", (lines: string[]) => lines.with(1, "hello"), /jsonl:2: this is not a batch of rows/],
    ["a lost line", (lines: string[]) => lines.toSpliced(2, 1), /jsonl:3: batch 2: expected batch 1/],
    ["a lost first line", (lines: string[]) => lines.slice(1), /jsonl:1: this is not the header of a shard/],
  ])("%s in the middle is an error that names the line", async (_, damage, message) => {
    const { file, lines } = await begun();
    await writeFile(file, `${damage(lines).join("\n")}\n`);
    const error = await goOn().catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    expect(error.describe()).toMatch(message);
  });

  test("refuses rows of another cell", async () => {
    const { file, lines } = await begun();
    await writeFile(file, `${lines.with(0, lines[0].replace(/"cell":"..../, '"cell":"0000')).join("\n")}\n`);
    await expect(goOn()).rejects.toThrow(/this is shard 1 of 1 \(100 rows\) of cell 0000/);
  });

  test("refuses to resume with another order of scoring", async () => {
    await begun();
    const other = fakeModel({ tokenCount: (sequence: string) => 100 - sequence.length } as never);
    await expect(runShard(await planRun(request({ models: [other] })))).rejects.toThrow(
      "are not the first ones of its order",
    );
  });
});
