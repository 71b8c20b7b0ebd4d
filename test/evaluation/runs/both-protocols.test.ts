import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { ProgressEvent } from "../../../src/evaluation/runs/progress.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { zeroShot } from "../../../src/evaluation/settings/zero-shot.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type FakeModel, fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const task = fakeTask();
const scored = ({ calls }: FakeModel) => calls.reduce((sum, { length }) => sum + length, 0);

async function bothProtocols(model: FakeModel, more: Partial<RunRequest> = {}) {
  const tasks = [{ task, inputs: {} }];
  const request = (protocol: "corrected" | "paper"): RunRequest => ({
    tasks,
    models: [model],
    folder: join(root, protocol),
    protocol,
    timing: false,
    ...more,
  });
  const corrected = await planRun(request("corrected"));
  const paper = await planRun({ ...request("paper"), earlier: [corrected] });
  return { corrected, paper };
}

describe("the second protocol of a run", () => {
  test("reuses the predictions of the first without calling the model", async () => {
    const model = fakeModel();
    const { corrected, paper } = await bothProtocols(model, { timing: true });
    const planning = scored(model);
    await runShard(corrected);
    const alone = scored(model) - planning;
    expect(alone).toBe(200);
    const events: ProgressEvent[] = [];
    const [outcome] = await runShard(paper, { onProgress: (event) => events.push(event) });
    expect(scored(model) - planning).toBe(alone);
    expect(outcome).toMatchObject({ rows: 100, rowsDone: 100, rowsDoneBefore: 0, state: "done" });
    expect(paper.cells[0].reuses!.name).toBe(corrected.cells[0].name);
    expect(paper.cells[0].estimate.seconds).toBe(0);
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: "note",
        text: expect.stringContaining("the predictions are those of"),
      }),
    );
    for (const folder of ["corrected", "paper"]) await mergeRun(join(root, folder), { tasks: [task] });
    const [one] = await readResults(join(root, "corrected"));
    const [other] = await readResults(join(root, "paper"));
    expect(other.result.published).toEqual(one.result.published);
    expect([other.result.cell.protocol, other.timing[0].timedRows]).toEqual(["paper", 0]);
  });

  test("calls the model where predictions depend on the protocol", async () => {
    const model = fakeModel();
    const { sameUnderBothProtocols: _, ...setting } = zeroShot;
    const { corrected, paper } = await bothProtocols(model, { settings: [setting] });
    await runShard(corrected);
    await runShard(paper);
    expect([scored(model), paper.cells[0].reuses]).toEqual([400, undefined]);
  });

  test("calls the model if the first protocol is not finished", async () => {
    const model = fakeModel();
    const { paper } = await bothProtocols(model);
    const [outcome] = await runShard(paper);
    expect([scored(model), outcome.state]).toEqual([200, "done"]);
  });

  test("reads the tables once and keeps them open until the first plan is closed", async () => {
    let [opened, closed] = [0, 0];
    const counted: typeof task = {
      ...task,
      async open(inputs, options) {
        opened++;
        const open = await task.open(inputs, options);
        return { ...open, close: async () => void closed++ };
      },
    };
    const { corrected, paper } = await bothProtocols(fakeModel(), { tasks: [{ task: counted, inputs: {} }] });
    await paper.close();
    expect([opened, closed]).toEqual([1, 0]);
    await corrected.close();
    expect([opened, closed]).toEqual([1, 1]);
  });

  test("reuses each shard from the same shard", async () => {
    const model = fakeModel();
    for (const index of [1, 2, 3]) {
      const { corrected, paper } = await bothProtocols(model, { shard: { index, count: 3 } });
      await runShard(corrected);
      await runShard(paper);
    }
    expect(scored(model)).toBe(200);
    const [result] = await mergeRun(join(root, "paper"), { tasks: [task] });
    expect(result.counts.rows).toBe(100);
  });

  test("resumes from its own predictions", async () => {
    const model = fakeModel();
    const stop = new AbortController();
    const { corrected, paper } = await bothProtocols(model);
    await runShard(paper, {
      signal: stop.signal,
      onProgress: (event) => {
        if (event.kind === "batch" && event.rowsDone >= 20) stop.abort();
      },
    });
    const before = scored(model);
    await runShard(corrected);
    const again = await bothProtocols(model);
    const [outcome] = await runShard(again.paper);
    expect(outcome).toMatchObject({ rowsDone: 100, state: "done" });
    expect(outcome.rowsDoneBefore).toBeGreaterThanOrEqual(20);
    expect(scored(model)).toBe(before + 200);
  });
});

describe("several tasks in one run", () => {
  test("each with its own limit, settings and models; unsupported settings are left out", async () => {
    const [one, two] = [fakeModel(), fakeModel({ name: "other", identity: "other 1" } as Partial<FakeModel>)];
    const mute = { name: "mute" };
    const plan = await planRun({
      tasks: [
        { task, inputs: {}, limit: 7 },
        { task, inputs: { table: "another" } as never, models: [two] },
      ],
      models: [one, two, mute],
      limit: 30,
      leaveOut: true,
      timing: false,
    });
    expect(plan.cells.map(({ record, rows }) => [record.cell.model.name, rows.length])).toEqual([
      ["fake-model", 7],
      ["other", 7],
      ["other", 30],
    ]);
    expect(plan.notes.join("\n")).toContain('the model "mute" cannot be evaluated on fake × zero-shot');
  });

  test("is an error if no setting is supported", async () => {
    const asked = { tasks: [{ task, inputs: {} }], models: [{ name: "mute" }], leaveOut: true };
    await expect(planRun(asked)).rejects.toThrow('the model "mute" cannot be evaluated on fake × zero-shot');
  });

  test("samples rows per stratum, nested in larger samples, and records them in the cell", async () => {
    const kinds = {
      ...task,
      strata: ["rare", "common"],
      open: async (...given: Parameters<Task["open"]>) => ({
        ...(await task.open(...given)),
        stratumOf: (row: number) => ["rare", "common", undefined][row % 10 === 0 ? 0 : row % 2 ? 1 : 2],
      }),
    };
    const sampleOf = async (sample: Record<string, number>) => {
      const asked = { tasks: [{ task: kinds, inputs: {}, sample }], models: [fakeModel()], timing: false };
      return (await planRun(asked)).cells[0];
    };
    const small = await sampleOf({ rare: 4, common: 20 });
    const large = await sampleOf({ rare: 100, common: 30 });
    const rows = (cell: typeof small) => [...cell.rows];
    expect([rows(small).filter((row) => row % 10 === 0).length, rows(small).length]).toEqual([4, 24]);
    expect([rows(large).filter((row) => row % 10 === 0).length, rows(large).length]).toEqual([10, 40]);
    expect(rows(large)).toEqual(expect.arrayContaining(rows(small)));
    expect(small.record.cell.sample).toEqual({ rare: 4, common: 20 });
    expect(small.record.identity).not.toBe(large.record.identity);
    await expect(sampleOf({ other: 1 })).rejects.toThrow('has no rows in the stratum "other"');
    await expect(sampleOf({ rare: 0 })).rejects.toThrow("at least 1");
  });
});
