import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { repository } from "../source-files.ts";

const COMMAND = join(repository, "dist/cli/main.js");

let folder: string;
let files: SyntheticFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-command-"));
  files = await sharedGenome({ seed: 0, scale: 0.2 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number | null;
  readonly printed: string;
  readonly said: string;
}

function start(words: readonly string[]): { child: ChildProcess; ended: Promise<Ended>; said: () => string } {
  const child = spawn(process.execPath, [COMMAND, ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close").then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    printed,
    said,
  }));
  return { child, ended, said: () => said };
}

const run = (...words: string[]) => start(words).ended;

describe("an interrupted run", () => {
  /** Slow enough to be stopped half way while the file `slow` exists, and the same every time. */
  const slowModel = `
    import { existsSync } from "node:fs";
    export default {
      name: "slow",
      identity: "slow 1",
      batchSize: 2,
      async logLikelihood(sequences) {
        if (existsSync("slow")) await new Promise((done) => setTimeout(done, 150));
        return sequences.map((letters) => -[...letters].filter((letter, i) => letter === "C" || i % 7 === 0).length);
      },
    };`;
  const words = (out: string) => [
    ...["run", "--task", "regulatory-elements", "--model", "slow.mjs", "--limit", "60", "--out", out],
    ...["--genome", files.genome, "--data", files.regulatoryElements, "--no-timing", "--json"],
  ];

  /** Finished rows of a run's only shard; its file begins with a header. */
  const rowsIn = async (out: string) => {
    const names = await readdir(join(folder, out), { recursive: true }).catch(() => []);
    const rows = names.find((name) => name.endsWith("001-of-001.jsonl"));
    if (rows === undefined) return 0;
    return (await readFile(join(folder, out, rows), "utf8")).split("\n").length - 2;
  };

  test("by each signal: prints how to resume, and resumes to the result of a whole run", async () => {
    await writeFile(join(folder, "slow.mjs"), slowModel);
    await writeFile(join(folder, "slow"), "");
    const out = "stopped";
    let done = 0;
    for (const [signal, code] of [
      ["SIGHUP", 129],
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const started = start(words(out));
      await expect.poll(() => rowsIn(out), { timeout: 60_000 }).toBeGreaterThan(done + 2);
      started.child.kill(signal);
      const stopped = await started.ended;
      expect(stopped.said).toContain("stopped. Run the same command again to resume.");
      expect(stopped.said).not.toMatch(/^\s+at /m);
      expect(stopped.printed).toBe("");
      expect(stopped.exitCode, signal).toBe(code);
      expect(doneIn(stopped)).toBe(done);
      done = await rowsIn(out);
    }
    await rm(join(folder, "slow"));
    const last = await run(...words(out));
    expect(doneIn(last)).toBe(done);
    expect(last.exitCode).toBe(0);
    const result = (ended: Ended) =>
      JSON.parse(ended.printed).map(({ result }: { result: unknown }) => result);
    expect(result(last)).toEqual(result(await run(...words("whole"))));
  });

  /** Rows that were done when the process started, by its plan. */
  const doneIn = ({ said }: Ended): number => {
    expect(said).toMatch(/rows {4}60\b/);
    return Number(/rows {4}60 · (\d+) done · \d+ to do/.exec(said)?.[1] ?? 0);
  };
});

test("a closed pipe is no error", async () => {
  const { child, ended } = start(["--help"]);
  child.stdout!.destroy();
  expect((await ended).exitCode).toBe(0);
});
