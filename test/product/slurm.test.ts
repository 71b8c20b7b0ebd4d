import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, test } from "vitest";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { repository } from "../source-files.ts";
import { missingForCluster, SlurmCluster } from "./slurm-cluster.ts";

const COMMAND = join(repository, "dist/cli/main.js");
const missing = missingForCluster();

/** Scores two batches at once; further ones wait while the file `hold` exists, `slow` makes each take 3 s. */
const MODEL = `
  import { existsSync } from "node:fs";
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  let calls = 0;
  export default {
    name: "held",
    identity: "held 1",
    batchSize: 2,
    async logLikelihood(sequences) {
      calls++;
      if (existsSync("slow")) await pause(3000);
      while (calls > 2 && existsSync("hold")) await pause(100);
      return sequences.map((bases) => -[...bases].filter((base, i) => base === "C" || i % 7 === 0).length);
    },
  };`;

describe.skipIf(missing !== undefined)(
  `on a Slurm cluster [needs Slurm${missing === undefined ? "" : `: ${missing}`}]`,
  () => {
    let folder: string;
    let cluster: SlurmCluster;
    let words: readonly string[];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "dart-eval slurm's-"));
      await writeFile(join(folder, "held.mjs"), MODEL);
      const { files } = await writeSyntheticGenome(join(folder, "a genome"), { seed: 0, scale: 0.2 });
      words = [
        ...["run", "--task", "regulatory-elements", "--model", "held.mjs", "--limit", "70", "--threads", "1"],
        ...["--genome", files.genome, "--data", files.regulatoryElements],
      ];
      await dartEval(...words, "--out", "runs/single");
      cluster = await SlurmCluster.start({ cpus: 8 });
    });
    afterAll(async () => {
      await cluster?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const dartEval = (...more: string[]) =>
      promisify(execFile)(process.execPath, [COMMAND, ...more], { cwd: folder });
    const touch = (name: string) => writeFile(join(folder, name), "");
    const log = async (jobs: string, name: string) => {
      const place = join(folder, jobs, "log");
      const found = (await readdir(place)).filter((one) => one.startsWith(name));
      return (await Promise.all(found.map((one) => readFile(join(place, one), "utf8")))).join("");
    };
    /** Submits a run; returns the jobs of the arrays and of the merge. */
    async function submit(jobs: string, ...options: string[]) {
      const { stdout } = await promisify(execFile)("bash", [join(jobs, "submit.sh"), ...options], {
        cwd: folder,
        env: cluster.env,
      });
      const [, arrays, merge] = /shards? as ([\d:]+), merge and report as (\d+);/.exec(stdout)!;
      return { arrays: arrays.split(":"), merge };
    }
    const stateOf = async (job: string) =>
      (await cluster.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T")).trim();
    const isOver = async (job: string) => !["PENDING", "RUNNING", "COMPLETING"].includes(await stateOf(job));
    const results = async (out: string) => {
      const [cell] = (await readdir(join(folder, out))).filter((name) => /^[0-9a-f]{8}$/.test(name));
      return Promise.all(
        ["scores.tsv", "metrics.json"].map((name) => readFile(join(folder, out, cell, name), "utf8")),
      );
    };

    test.concurrent("8 shards give the bytes of a single process, although a node dies and one is cut off", async ({
      expect,
    }) => {
      await dartEval(...words, "--out", "runs/single");
      await dartEval(
        ...words,
        "--out",
        "runs/eight of them",
        "--sbatch",
        "my jobs",
        "--shards",
        "8",
        "--no-timing",
      );
      await touch("hold");
      const { arrays, merge } = await submit("my jobs");
      expect(arrays).toHaveLength(2);
      const phases = async () => {
        const { stdout } = await dartEval("status", "runs/eight of them", "--json").catch(() => ({
          stdout: "[]",
        }));
        return JSON.parse(stdout).flatMap(
          (run: { cells: { shards: { phase: string; rowsDone: number }[] }[] }) =>
            run.cells.flatMap(({ shards }) => shards.map(({ phase, rowsDone }) => `${phase} ${rowsDone}`)),
        );
      };
      await expect.poll(phases, { timeout: 120_000, interval: 1000 }).toEqual(Array(8).fill("running 2"));

      const dead = (await cluster.nodeOf(arrays[0], 1))!;
      const others = [2, 3, 4, 5].map((task) => cluster.nodeOf(arrays[0], task));
      const lost = (await Promise.all(others)).findIndex((node) => node !== dead) + 2;
      const away = (await cluster.nodeOf(arrays[0], lost))!;
      await cluster.kill(dead);
      await cluster.cut(away);
      // Slurm restarts the jobs of both nodes: the holder of one lock is silent, that of the other still
      // works.
      await expect
        .poll(() => log("my jobs", `shard-${arrays[0]}_${lost}.`), { timeout: 120_000, interval: 500 })
        .toContain("waiting for this shard");
      await rm(join(folder, "hold"));
      await expect.poll(() => isOver(merge), { timeout: 240_000, interval: 1000 }).toBe(true);
      expect(await log("my jobs", "merge-")).toContain("wrote");
      expect(existsSync(join(folder, "my jobs/report.html"))).toBe(true);
      expect(await results("runs/eight of them")).toEqual(await results("runs/single"));
      if (cluster.separate) {
        expect(await log("my jobs", `shard-${arrays[0]}_1.`)).toContain(
          "watching its heartbeat for up to 120 s",
        );
      }
    });

    test.concurrent("a job returns to the queue before its time limit, and resumes", async ({ expect }) => {
      await dartEval(...words, "--out", "runs/limit", "--sbatch", "limit", "--no-timing", "--shards", "1");
      await touch("slow");
      const { merge, arrays } = await submit("limit", "--time=1", "--signal=B:USR1@50");
      const said = () => log("limit", `shard-${arrays[0]}_1.`);
      // the node that dies in the other test may have cost this job its first start
      await expect.poll(said, { timeout: 240_000, interval: 500 }).toMatch(/back to the queue, restart \d/);
      await rm(join(folder, "slow"));
      await expect.poll(() => isOver(merge), { timeout: 120_000, interval: 500 }).toBe(true);
      expect(await said()).toMatch(/rows {4}70 · \d+ done · \d+ to do/);
      expect(await results("runs/limit")).toEqual(await results("runs/single"));
    });

    test.concurrent("an error of a shard cancels the merge, and is not repeated", async ({ expect }) => {
      await writeFile(join(folder, "error.mjs"), MODEL);
      const broken = words.map((word) => word.replace("held.mjs", "error.mjs"));
      await dartEval(...broken, "--out", "runs/error", "--sbatch", "error", "--no-timing", "--shards", "2");
      await rm(join(folder, "error.mjs"));
      const { merge, arrays } = await submit("error");
      await expect.poll(() => stateOf(merge), { timeout: 60_000, interval: 500 }).toBe("CANCELLED");
      expect(await log("error", `shard-${arrays[0]}_2.`)).toContain("error.mjs: no such file");
      expect(await stateOf(`${arrays[0]}_2`)).toBe("FAILED");
    });
  },
);
