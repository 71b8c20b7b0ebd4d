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
  /** Slow enough to be stopped half way, and the same every time. */
  const slowModel = `
    export default {
      name: "slow",
      identity: "slow 1",
      batchSize: 2,
      async logLikelihood(sequences) {
        await new Promise((done) => setTimeout(done, 40));
        return sequences.map((letters) => -[...letters].filter((letter, i) => letter === "C" || i % 7 === 0).length);
      },
    };`;
  const words = (out: string) => [
    ...["run", "--task", "regulatory-elements", "--model", "slow.mjs", "--limit", "60", "--out", out],
    ...["--genome", files.genome, "--data", files.regulatoryElements, "--no-timing", "--json"],
  ];

  /** Finished batches of a run's only shard; its file begins with a header. */
  const batchesIn = async (out: string) => {
    const names = await readdir(join(folder, out), { recursive: true }).catch(() => []);
    const rows = names.find((name) => name.endsWith("001-of-001.jsonl"));
    if (rows === undefined) return 0;
    return (await readFile(join(folder, out, rows), "utf8")).split("\n").length - 2;
  };

  let whole: Promise<Ended> | undefined;

  test.each([
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s: prints how to resume, and resumes to the same result", async (signal, code) => {
    await writeFile(join(folder, "slow.mjs"), slowModel);
    const out = `stopped-${signal}`;
    const first = start(words(out));
    await expect.poll(() => batchesIn(out), { timeout: 60_000 }).toBeGreaterThan(2);
    first.child.kill(signal);
    const stopped = await first.ended;
    expect(stopped.said).toContain("stopped. Run the same command again to resume.");
    expect(stopped.said).not.toMatch(/^\s+at /m);
    expect(stopped.printed).toBe("");
    expect(stopped.exitCode).toBe(code);

    const second = await run(...words(out));
    expect(second.said).toMatch(/rows {4}60 · \d+ done · \d+ to do/);
    expect(second.exitCode).toBe(0);
    whole ??= run(...words("whole"));
    const result = (ended: Ended) =>
      JSON.parse(ended.printed).map(({ result }: { result: unknown }) => result);
    expect(result(second)).toEqual(result(await whole));
  });
});

test("a custom model that throws is named; --verbose prints its stack", async () => {
  await writeFile(
    join(folder, "broken.mjs"),
    `export default { name: "b", logLikelihood() { throw new TypeError("no"); } };`,
  );
  const words = [
    ...["run", "--task", "regulatory-elements", "--model", "broken.mjs", "--limit", "4", "--out", "broken"],
    ...["--genome", files.genome, "--data", files.regulatoryElements, "--no-timing"],
  ];
  const plain = await run(...words);
  expect(plain.said).toContain("broken.mjs: the model b failed in logLikelihood: no");
  expect(plain.said).not.toMatch(/^\s+at /m);
  expect(plain.exitCode).toBe(2);
  const verbose = await run("--verbose", ...words);
  expect(verbose.said).toMatch(/caused by: TypeError: no\n\s+at /);
  expect(verbose.exitCode).toBe(2);
});

test("a closed pipe is no error", async () => {
  const { child, ended } = start(["--help"]);
  child.stdout!.destroy();
  expect((await ended).exitCode).toBe(0);
});
