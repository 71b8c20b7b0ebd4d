import { execFile, execFileSync, spawn } from "node:child_process";
import { appendFile, chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { type SlurmJobs, type SlurmRun, slurmJobs, writeSlurmScripts } from "../../src/cli/slurm-scripts.ts";
import type { Plan } from "../../src/evaluation/runs/request.ts";
import { folderOfFile } from "../temporary-folder.ts";
import { runCommand } from "./collecting-terminal.ts";

const JOBS: SlurmJobs = {
  shards: 12,
  seconds: 3000,
  cpus: 4,
  gpu: false,
  memory: 2e9,
  trains: false,
  rows: 1000,
  clusters: false,
};

const folder = folderOfFile();

let written = 0;
async function scripts(jobs: Partial<SlurmJobs> = {}, run: Partial<SlurmRun> = {}) {
  const place = join(folder, `it's $HOME "${written++}" %j`);
  await writeSlurmScripts(place, { ...JOBS, ...jobs }, { out: "run", words: [], directory: folder, ...run });
  const text = (name: string) => readFile(join(place, name), "utf8");
  return { place, text, directives: async (name: string) => directivesOf(await text(name)) };
}

/** `#SBATCH` options of a batch script, which sbatch reads up to the first line that is not a comment. */
function directivesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  const head = lines.slice(
    0,
    lines.findIndex((line) => line !== "" && !line.startsWith("#")),
  );
  return head.filter((line) => line.startsWith("#SBATCH ")).map((line) => line.slice("#SBATCH ".length));
}

/** Writes a program of a few lines of bash. */
async function program(path: string, text: string): Promise<string> {
  await writeFile(path, `#!/bin/bash\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Folder of stand-ins for Slurm's programs: `sbatch` prints job numbers and records its words. */
async function slurmPrograms(name: string, maxArraySize: number) {
  const bin = join(folder, name);
  await mkdir(bin);
  const calls = join(bin, "calls");
  await program(
    join(bin, "sbatch"),
    `printf '%s\\0' "$@" >>'${calls}'; printf '\\n' >>'${calls}'; echo "$(wc -l <'${calls}');cluster"`,
  );
  await program(
    join(bin, "scontrol"),
    `
    [ "$1" = show ] && echo "MaxArraySize            = ${maxArraySize}"
    [ "$1" = requeue ] && echo "requeue $2" >>'${calls}' && kill "$PPID"; exit 0`,
  );
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const read = async () => (await readFile(calls, "utf8").catch(() => "")).split("\n").slice(0, -1);
  return { env, calls: async () => (await read()).map((line) => line.split("\0").filter(Boolean)) };
}

test("all scripts are bash, whatever the names", async () => {
  const odd = "a 'b' \"c\" $(d) `e` \\ \n#SBATCH --wrap=f";
  const { place, text } = await scripts(
    { gpu: true },
    { out: odd, words: [`--model=${odd}`], directory: odd },
  );
  for (const name of ["submit.sh", "job.sh", "shard.sbatch", "merge.sbatch"]) {
    expect(execFileSync("bash", ["-n", join(place, name)], { encoding: "utf8" })).toBe("");
    expect(directivesOf(await text(name)).join(" ")).not.toContain("--wrap");
  }
});

test("a job has CPUs, memory with a reserve, twice the time, and a GPU if a model runs on one", async () => {
  const common = ["--requeue", "--open-mode=append", "--signal=B:USR1@120"];
  const plain = await scripts();
  expect(await plain.directives("shard.sbatch")).toEqual([
    ...["--job-name=dart-eval", "--cpus-per-task=4", "--mem=2671M", "--time=102", ...common],
  ]);
  const gpu = await scripts({ gpu: true, seconds: 1e6, memory: null });
  expect(await gpu.directives("shard.sbatch")).toEqual([
    ...["--job-name=dart-eval", "--cpus-per-task=4", "--gres=gpu:1", "--time=1440", ...common],
  ]);
  expect(await gpu.directives("merge.sbatch")).not.toContain("--gres=gpu:1");
  expect(await gpu.text("job.sh")).toContain("most_restarts=56\n");
  expect((await (await scripts({ seconds: null })).directives("shard.sbatch")).join()).not.toContain(
    "--time",
  );
});

describe("submit.sh", () => {
  const names = (calls: readonly string[][]) =>
    calls.map((words) => words.filter((word) => !word.startsWith("--output")));
  const always = ["--parsable", "--kill-on-invalid-dep=yes"];

  test("splits arrays at MaxArraySize, and passes its options to every job", async () => {
    const { place } = await scripts({}, { out: "my run" });
    const slurm = await slurmPrograms("arrays", 6);
    const words = [join(place, "submit.sh"), "--partition=gpu", "--comment=a b"];
    const { stdout } = await promisify(execFile)("bash", words, { env: slurm.env });
    const own = ["--partition=gpu", "--comment=a b"];
    expect(names(await slurm.calls())).toEqual([
      [...always, "--array=1-5", ...own, "shard.sbatch", place, "0"],
      [...always, "--array=1-5", ...own, "shard.sbatch", place, "5"],
      [...always, "--array=1-2", ...own, "shard.sbatch", place, "10"],
      [...always, "--dependency=afterok:1:2:3", ...own, "merge.sbatch", place],
    ]);
    expect(stdout).toContain("submitted 12 shards as 1:2:3, merge and report as 4;");
    expect(stdout).toContain("progress: dart-eval status 'my run'\n");
  });

  test("the first shard trains before the others start", async () => {
    const { place } = await scripts({ trains: true, shards: 3 });
    const slurm = await slurmPrograms("training", 1001);
    await promisify(execFile)("bash", [join(place, "submit.sh")], { env: slurm.env });
    expect(names(await slurm.calls())).toEqual([
      [...always, "--array=1", "shard.sbatch", place, "0"],
      [...always, "--dependency=afterok:1", "--array=1-2", "shard.sbatch", place, "1"],
      [...always, "--dependency=afterok:1:2", "merge.sbatch", place],
    ]);
  });
});

describe("a job", () => {
  let count = 0;
  /** Runs shard 3 + 2 of 12 with a stand-in for dart-eval. */
  async function job(
    text: string,
    { restarts = 0, signal, hook }: { restarts?: number; signal?: NodeJS.Signals; hook?: string } = {},
  ) {
    const name = `job ${count++}`;
    const slurm = await slurmPrograms(name, 1001);
    const standIn = await program(join(folder, name, "stand in"), text);
    const { place } = await scripts({}, { words: ["--data=a b"], program: [standIn, "x y"] });
    if (hook !== undefined) await appendFile(join(place, "job.sh"), hook);
    const own = { SLURM_ARRAY_TASK_ID: "2", SLURM_JOB_ID: "77", SLURM_CPUS_PER_TASK: "4" };
    const env = { ...slurm.env, ...own, SLURM_RESTART_COUNT: String(restarts) };
    const child = spawn("bash", [join(place, "shard.sbatch"), place, "3"], { env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
        if (signal !== undefined && chunk.includes("ready")) child.kill(signal);
      });
    }
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, said, requeued: (await slurm.calls()).some(([word]) => word === "requeue 77") };
  }
  const STOPS = `trap 'echo stopping; exit 143' TERM; echo ready; while :; do sleep 0.05; done`;

  test("runs its shard with the options of the run", async () => {
    const { code, said } = await job(`printf '<%s>' "$PWD" "$@"`);
    expect(code).toBe(0);
    expect(said).toBe(`<${folder}><x y><run><--data=a b><--threads=4><--shard=5/12><--wait><--no-timing>`);
  });

  test("stops and returns to the queue at the signal before its limit", async () => {
    const { said, requeued } = await job(STOPS, { signal: "SIGUSR1" });
    expect(said).toContain("stopping");
    expect(said).toContain("exit code 143: back to the queue, restart 1 of at most 10");
    expect(requeued).toBe(true);
  });

  test("that finishes despite the signal is complete", async () => {
    const text = STOPS.replace("exit 143", "exit 0");
    expect(await job(text, { signal: "SIGUSR1" })).toMatchObject({ code: 0, requeued: false });
  });

  test("passes on a signal that arrives while its program starts", async () => {
    // Sent by the shell to itself, before the command that stores the number of the program's process.
    const hook = `set -T; trap 'case $BASH_COMMAND in child=*) kill -USR1 $$ ;; esac' DEBUG\n`;
    const found = await job("exec sleep 60", { hook });
    expect(found.said).toContain("exit code 143: back to the queue");
    expect(found.requeued).toBe(true);
  });

  test("that is cancelled stops, and does not return", async () => {
    expect(await job(STOPS, { signal: "SIGTERM" })).toMatchObject({ code: 143, requeued: false });
  });

  test.each([
    ["another process took over the shard", 75, true],
    ["an error of the user", 2, false],
    ["a bug", 70, false],
  ])("%s: exit code %i, back to the queue: %s", async (_, code, back) => {
    const found = await job(`exit ${code}`);
    expect(found.requeued).toBe(back);
    if (!back) expect(found.code).toBe(code);
  });

  test("returns a limited number of times", async () => {
    expect(await job("exit 75", { restarts: 10 })).toMatchObject({ code: 75, requeued: false });
  });
});

describe("number of shards", () => {
  const planOf = (seconds: number | null, { openingSeconds = 10, trainingSeconds = 0, rows = 1e6 } = {}) => {
    const estimate = { seconds, trainingSeconds, memory: 1e9, disk: 0, basis: "" };
    const task = { task: { settings: {} } };
    const cell = {
      estimate,
      rows: { length: rows },
      model: {},
      setting: { name: "x", readyAtOnce: true },
      task,
    };
    return { openingSeconds, cells: [cell] } as unknown as Plan;
  };
  const count = (plan: Plan, options = {}) =>
    slurmJobs([plan], { shard: { index: 1, count: 1 }, timing: true, jobs: 1, ...options }).shards;

  test("shards take about an hour, and ten times their start-up at least", () => {
    expect(count(planOf(86_400))).toBe(24);
    expect(count(planOf(600))).toBe(1);
    const slowStart = count(planOf(86_400, { openingSeconds: 1000 }));
    expect(slowStart).toBeGreaterThanOrEqual(7);
    expect(slowStart).toBeLessThanOrEqual(8);
    expect(count(planOf(86_400, { rows: 5 }))).toBe(5);
  });

  test("training, which shards share, does not count", () => {
    expect(count(planOf(86_400 + 7200, { trainingSeconds: 86_400 }))).toBe(2);
  });

  test("is given, or 1 for --until-width; without times it is required", () => {
    expect(count(planOf(86_400), { shards: 200 })).toBe(200);
    expect(count(planOf(86_400), { untilWidth: 0.01 })).toBe(1);
    expect(() => count(planOf(null))).toThrow("the number of shards is unknown");
  });

  test.each([
    [["--sbatch", "x", "--shard", "1/2"], "--shard and --sbatch cannot be combined"],
    [["--shards", "2"], "--shards is an option of --sbatch"],
    [["--sbatch", "x", "--no-timing"], "without times the number of shards is unknown"],
    [
      ["--sbatch", "x", "--shards", "2", "--until-width", "0.1"],
      "--until-width needs a run of a single shard",
    ],
  ])("%j is refused", async (words, message) => {
    const all = ["run", "--task", "regulatory-elements", "--model", "toy:hyenadna", "--out", "x", ...words];
    const { exitCode, said } = await runCommand(all);
    expect(exitCode).toBe(2);
    expect(said).toContain(message);
  });
});
