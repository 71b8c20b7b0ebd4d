import type { FileHandle } from "node:fs/promises";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { planJson, planText } from "../../../src/cli/plan-text.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

/** Free bytes of the simulated disk. A write that does not fit is truncated, as on a real disk. */
const disk = vi.hoisted(() => ({
  room: Number.POSITIVE_INFINITY,
  /** Free bytes, as the system reports them. */
  free: Number.POSITIVE_INFINITY,
}));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const full = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const limited = (handle: FileHandle) =>
    new Proxy(handle, {
      get(target, key) {
        if (key === "writeFile") {
          return async (data: string | Uint8Array) => {
            const bytes = Buffer.from(data as string);
            const fits = Math.min(bytes.length, disk.room);
            if (fits > 0) await target.write(bytes, 0, fits);
            disk.room -= fits;
            if (fits < bytes.length) throw full();
          };
        }
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => limited(await real.open(...args)),
  };
});

vi.mock(import("../../../src/base/folder.ts"), async (original) => ({
  ...(await original()),
  freeSpace: async () => disk.free,
}));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "dart-eval-full-"));
});
afterEach(async () => {
  disk.room = Number.POSITIVE_INFINITY;
  disk.free = Number.POSITIVE_INFINITY;
  await rm(root, { recursive: true, force: true });
});

const task = fakeTask();
async function run(folder: string) {
  const plan = await planRun({ tasks: [{ task, inputs: {} }], models: [fakeModel()], folder, timing: false });
  const [outcome] = await runShard(plan);
  await mergeRun(folder, { tasks: [task] });
  const cell = (await readdir(folder)).find((name) => name !== "plan.json")!;
  const names = ["result.json", "metrics.json", "scores.tsv", "rows/001-of-001.jsonl"];
  return {
    outcome,
    files: await Promise.all(names.map((name) => readFile(join(folder, cell, name), "utf8"))),
  };
}

test("a full disk stops a run with the folder's name and keeps finished rows", async () => {
  const reference = await run(join(root, "reference"));
  const folder = join(root, "run");
  let stops = 0;
  let kept = 0;
  // With growing free space: the disk fills up in the plan, the lock, the rows, the end of the shard, the
  // results.
  for (let room = 100; ; room += 400) {
    disk.room = room;
    const error = await run(folder).then(
      () => undefined,
      (error) => error,
    );
    disk.room = Number.POSITIVE_INFINITY;
    if (error === undefined) break;
    stops++;
    expect(error).toBeInstanceOf(InputError);
    expect(error.describe()).toMatch(
      /: the disk is full\n.*free some space, or choose a folder on another disk/,
    );
    expect(error.place.file.startsWith(folder)).toBe(true);
    const left = (await readdir(root, { recursive: true })).filter((name) => /\.tmp$|\.lock/.test(name));
    expect(left).toEqual([]);
    const plan = await planRun({
      tasks: [{ task, inputs: {} }],
      models: [fakeModel()],
      folder,
      timing: false,
    });
    expect(plan.cells[0].rowsDone).toBeGreaterThanOrEqual(kept);
    kept = plan.cells[0].rowsDone;
  }
  expect(stops).toBeGreaterThan(4);
  expect(kept).toBeGreaterThan(50);
  expect((await run(folder)).files).toEqual(reference.files);
});

test("refuses a run whose temporary files do not fit in $TMPDIR, and plans their size", async () => {
  const sorting: Task = {
    ...task,
    settings: { "zero-shot": { ...task.settings["zero-shot"], sortedNumbers: 1e7 } },
    open: async (...given) => ({ ...(await task.open(...given)), task: sorting }),
  };
  const request = {
    tasks: [{ task: sorting, inputs: {} }],
    models: [fakeModel()],
    timing: false,
  };
  const plan = await planRun(request);
  const { selected } = plan.cells[0].record.rows;
  // Two copies of 8 bytes per number, of which 4 MiB each are in memory.
  const bytes = 2 * (8e7 * selected - 2 ** 22);
  expect(plan.temporary).toEqual({ folder: tmpdir(), bytes });
  expect(planText(plan)).toContain(`in ${tmpdir()} ($TMPDIR)`);
  expect(planJson(plan)).toMatchObject({ temporary: { folder: tmpdir(), bytes } });
  disk.free = 1e9;
  const refused = planRun(request).catch((error: InputError) => error.describe());
  expect(await refused).toMatch(
    /^\S+: temporary files need .* GiB of disk, and 0\.9 GiB are free\n {2}free some space, or set TMPDIR to /,
  );
  // A shard merges nothing.
  expect((await planRun({ ...request, shard: { index: 1, count: 2 } })).temporary.bytes).toBe(0);
});
