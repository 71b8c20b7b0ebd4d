import { readdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ChildProgram, ProgramExit } from "../../src/base/child-program.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { Interrupted } from "../../src/cli/failure.ts";
import { Job } from "../../src/cli/job.ts";
import { planJobs } from "../../src/cli/jobs.ts";
import { startSeconds } from "../../src/cli/plan-text.ts";
import { cellGroups } from "../../src/evaluation/runs/cell-groups.ts";
import type { Plan } from "../../src/evaluation/runs/request.ts";
import { scratchFiles } from "../scratch-files.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { collectingTerminal, runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();

interface Observers {
  readonly onLine?: (line: string, job: number) => void;
  readonly signal?: AbortSignal;
}

/** Runs a command line whose jobs run in this process instead of others of their own. */
async function runInJobs(words: readonly string[], { onLine, signal }: Observers = {}) {
  const terminal = collectingTerminal();
  let started = 0;
  const startJob = (threads: number): ChildProgram => {
    const number = started++;
    const lines: (string | ProgramExit)[] = [];
    let wake = () => {};
    const give = (line: string | ProgramExit) => {
      lines.push(line);
      wake();
    };
    const job = new Job(threads, (line) => {
      onLine?.(line, number);
      give(line);
    });
    const ended = dispatch(words, job.terminal, new AbortController().signal, { job }).then((code) =>
      give({ how: "code", code }),
    );
    return {
      writeLine: (text) => job.receive(text),
      async nextLine() {
        for (;;) {
          const line = lines.shift();
          if (line !== undefined) return line;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      stop: () => ended,
    };
  };
  const exitCode = await dispatch(words, terminal, signal ?? new AbortController().signal, { startJob });
  return { exitCode, started, printed: terminal.printed.join("\n"), said: terminal.said };
}

/** Contents of the result files below a folder, by path. */
async function resultsBelow(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const results = names.filter((name) =>
    /(scores\.tsv|metrics\.json|result\.json|positions\.json)$/.test(name),
  );
  return new Map(
    await Promise.all(
      results.sort().map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const),
    ),
  );
}

const CELL_LINE = "GM12878";
const activity = {
  genome: "genome.fa",
  ...Object.fromEntries(
    ["peaks", "idr", "nonpeaks"].map((name) => [name, `chromatin-activity/${CELL_LINE}_${name}.bed`]),
  ),
  signal: `signal/${CELL_LINE}_unstranded.bw`,
  "cell-line": CELL_LINE,
};
const suite = {
  format: "dart-eval suite",
  formatVersion: 1,
  name: "synthetic",
  title: "two likelihoods and three trained heads, two of which share a training run",
  rows: [
    {
      task: "regulatory-elements",
      inputs: { elements: "regulatory-elements.tsv", genome: "genome.fa" },
      settings: { "zero-shot": {}, probed: {} },
    },
    { task: "chromatin-activity", inputs: activity, settings: { probed: {} } },
    {
      task: "variant-effects",
      inputs: { ...activity, variants: "variants/african-caqtls.tsv", dataset: "african-caqtls" },
      settings: { probed: {} },
    },
  ],
};

/** Words of a run of the suite; `{out}` has its results. */
async function suiteWords(out: string, ...more: readonly string[]): Promise<readonly string[]> {
  const data = dirname((await sharedGenome({ seed: 0, scale: 0.1 })).genome);
  return [
    ...["run", "--suite", await scratch.write("suite.json", JSON.stringify(suite)), "--data", data],
    ...["--model", "toy:hyenadna", "--limit", "4", "--no-timing", "--threads", "1", "--device", "cpu"],
    ...["--recipe", "epochs=1", "trainRows=6", "valRows=4", "batchSize=4"],
    ...["--embeddings", join(scratch.path(out), "embeddings"), "--out", scratch.path(out), ...more],
  ];
}

describe("run --jobs", () => {
  test("two jobs write the bytes of one process; an interrupted run resumes to them", async () => {
    const positions = ["--position-scores", "1"];
    const alone = await runCommand(await suiteWords("alone", ...positions));
    expect([alone.exitCode, alone.said]).toEqual([0, expect.any(String)]);
    const expected = await resultsBelow(scratch.path("alone"));
    expect([...expected.keys()].filter((name) => name.endsWith("result.json"))).toHaveLength(4);

    const stopped = new AbortController();
    const interrupted = await runInJobs(await suiteWords("jobs", ...positions, "--jobs", "2"), {
      signal: stopped.signal,
      onLine: (line) => {
        if (line.includes('"cell-done"')) stopped.abort(new Interrupted("SIGINT"));
      },
    });
    expect([interrupted.exitCode, interrupted.started]).toEqual([130, 2]);

    const resumed = await runInJobs(await suiteWords("jobs", ...positions, "--jobs", "2"));
    expect([resumed.exitCode, resumed.started, resumed.printed]).toEqual([0, 2, alone.printed]);
    expect(resumed.said.filter((line) => line.startsWith("done "))).toHaveLength(4);
    expect(await resultsBelow(scratch.path("jobs"))).toEqual(expected);
    // No sequence was embedded twice: the files of the store are named by their contents.
    const stored = async (out: string) =>
      (await readdir(scratch.path(`${out}/embeddings`), { recursive: true })).sort();
    expect(await stored("jobs")).toEqual(await stored("alone"));
  });

  test("after an error no further cell starts, running ones finish, and the exit code is that of the job", async () => {
    const broken = "logLikelihood: async (some) => some.map(() => Number.NaN)";
    const slow = "logLikelihood: async (some) => (await globalThis.jobFailed, some.map(() => 1))";
    const [first, second] = await Promise.all(
      Object.entries({ broken, slow }).map(([name, method]) =>
        scratch.write(`${name}.js`, `export default { name: "${name}", ${method} };`),
      ),
    );
    let release = () => {};
    const failed = new Promise<void>((resolve) => {
      release = resolve;
    });
    Reflect.set(globalThis, "jobFailed", failed);
    const words = [
      ...["run", "--task", "regulatory-elements", "--limit", "2", "--no-timing", "--jobs", "2"],
      ...(await elements()),
      ...["--model", first, second, "kmer-markov:order=2", "--out", scratch.path("broken")],
    ];
    const onLine = (line: string) => line.includes("NaN") && release();
    const { exitCode, said } = await runInJobs(words, { onLine });
    expect([exitCode, said.filter((line) => line.includes("NaN"))]).toEqual([2, [expect.any(String)]]);
    const results = [...(await resultsBelow(scratch.path("broken"))).values()];
    const models = results.flatMap((text) => /"name": "(\w+)"/.exec(text)?.[1] ?? []);
    expect(new Set(models)).toEqual(new Set(["slow"]));
    const status = await runCommand(["status", scratch.path("broken")]);
    expect(status.printed).toMatch(/failed/);
  });

  test("a job that is killed is an error that names its cells", async () => {
    const words = [
      ...["run", "--task", "regulatory-elements", "--limit", "2", "--no-timing", "--jobs", "2"],
      ...(await elements()),
      ...["--model", "kmer-markov:order=1", "kmer-markov:order=2", "--out", scratch.path("killed")],
    ];
    const terminal = collectingTerminal();
    const startJob = (): ChildProgram => {
      const lines = [`a model printed this\x1e${JSON.stringify({ kind: "ready" })}`];
      return {
        writeLine: () => {},
        nextLine: async () => lines.shift() ?? { how: "signal", signal: "SIGKILL" },
        stop: async () => {},
      };
    };
    expect(await dispatch(words, terminal, new AbortController().signal, { startJob })).toBe(2);
    expect(terminal.said).toContain("a model printed this");
    expect(terminal.said.at(-1)).toMatch(
      /a job was ended by SIGKILL, in regulatory-elements × kmer-markov-[12] × zero-shot\n.*fewer --jobs/,
    );
  });

  test.each([
    [["--sbatch", "jobs"], /--jobs and --sbatch cannot be combined/],
    [["--devices", "cuda:0,cuda:1"], /--jobs and --devices cannot be combined/],
  ])("rejects %s", async (more, message) => {
    const run = ["run", "--task", "regulatory-elements", "--model", "kmer-markov", "--jobs", "2"];
    const { exitCode, said } = await runCommand([...run, "--out", scratch.path("none"), ...more]);
    expect([exitCode, said]).toEqual([2, expect.stringMatching(message)]);
  });
});

async function elements(): Promise<readonly string[]> {
  const { genome, regulatoryElements } = await sharedGenome({ seed: 0, scale: 0.1 });
  return ["--genome", genome, "--data", regulatoryElements];
}

/** A plan of cells with these estimates. */
function planOf(
  cells: readonly {
    readonly name: string;
    readonly seconds?: number;
    readonly memory?: number;
    /** Data that train the cell. */
    readonly trainedOn?: string;
    /** Cell whose predictions it reuses. */
    readonly reuses?: string;
  }[],
): Plan {
  return {
    openingSeconds: 0,
    cells: cells.map(({ name, seconds = null, memory = null, trainedOn, reuses }) => ({
      name: identity(name).slice(0, 8),
      record: {
        identity: identity(name),
        cell: { task: "t", model: { name }, setting: "s", protocol: "corrected" },
      },
      setting: { name: "s", readyAtOnce: trainedOn === undefined },
      model: { name: "m" },
      task: { task: { name: "t" }, digests: { elements: trainedOn } },
      estimate: { seconds, memory },
      ...(reuses === undefined ? {} : { reuses: { record: { identity: identity(reuses) } } }),
    })),
  } as unknown as Plan;
}

const identity = (name: string) => name.repeat(64);
const namesOf = (groups: ReturnType<typeof cellGroups>) =>
  groups.map(({ cells }) => cells.map(({ record }) => record.identity[0]).join(""));

describe("cells in groups", () => {
  test("one process runs cells that share a training run, or of which one reuses the other", () => {
    const groups = cellGroups([
      planOf([
        { name: "a" },
        { name: "b", trainedOn: "x" },
        { name: "c", trainedOn: "y" },
        { name: "d", trainedOn: "x" },
      ]),
      planOf([
        { name: "e", reuses: "a" },
        { name: "f", trainedOn: "y", reuses: "d" },
      ]),
    ]);
    expect(namesOf(groups)).toEqual(["bdcf", "ae"]);
  });

  test("the longest come first; without estimates, those that train", () => {
    const timed = [
      { name: "a", seconds: 1, memory: 10 },
      { name: "b", seconds: 5 },
      { name: "c", seconds: 3, memory: 20 },
      { name: "d", seconds: 2, reuses: "c", memory: 5 },
    ];
    const groups = cellGroups([planOf(timed)]);
    expect(groups.map(({ seconds, memory }) => [seconds, memory])).toEqual([
      [5, null],
      [5, 20],
      [1, 10],
    ]);
    expect(namesOf(cellGroups([planOf([{ name: "a" }, { name: "b", trainedOn: "x" }])]))).toEqual(["b", "a"]);
  });
});

describe("the number of jobs", () => {
  const plan = planOf([
    { name: "a", seconds: 60, memory: 4e9 },
    { name: "b", seconds: 40, memory: 2e9 },
    { name: "c", seconds: 30, memory: 1e9 },
  ]);
  const jobsOf = (jobs: number, memory: number, threads?: number) => {
    const terminal = collectingTerminal();
    const { count, ...rest } = planJobs(
      [plan],
      { jobs, memory, ...(threads === undefined ? {} : { threads }) },
      terminal,
    );
    return { count, said: terminal.said, ...rest };
  };

  test("is at most the number of groups, and what the memory has room for", () => {
    expect(jobsOf(8, 7e9)).toMatchObject({ count: 3, said: [] });
    expect(jobsOf(8, 6.5e9)).toMatchObject({
      count: 2,
      said: ["note: 3 jobs need up to 6.5 GiB of memory, and 6 GiB are available: 2 jobs"],
    });
    expect(jobsOf(2, 5e9)).toMatchObject({ count: 1 });
  });

  test("divides the cores; the time is that of the longest job", () => {
    const cores = availableParallelism();
    expect(jobsOf(2, 1e12).threads).toBe(Math.max(1, Math.floor(cores / 2)));
    expect(jobsOf(2, 1e12, 7).threads).toBe(7);
    const start = startSeconds(plan);
    expect(jobsOf(2, 1e12).seconds! - start).toBeCloseTo(70);
    expect(jobsOf(3, 1e12).seconds! - start).toBeCloseTo(60);
  });
});
