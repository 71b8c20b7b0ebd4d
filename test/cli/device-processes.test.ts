import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { runOnDevices } from "../../src/cli/device-processes.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { collectingTerminal } from "./collecting-terminal.ts";

/** Runs a script in place of dart-eval. Its constants: the file to append to, and the words. */
async function runScript(body: string, signal = new AbortController().signal) {
  const folder = temporaryFolder();
  const [script, log] = [join(folder, "program.mjs"), join(folder, "log")];
  writeFileSync(
    script,
    `import { appendFileSync, existsSync, readFileSync } from "node:fs";
     const log = ${JSON.stringify(log)};
     const words = process.argv.slice(2);
     appendFileSync(log, words.join(" ") + "\\n");
     ${body}`,
  );
  const terminal = collectingTerminal();
  const ended = runOnDevices(
    ["cuda:0", "cuda:1"],
    ["--out=r"],
    { terminal, signal },
    {
      program: [process.execPath, script],
      retryMs: 10,
    },
  );
  const lines = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").sort() : []);
  return { ended, terminal, lines };
}

test("each device runs its shard in its own process; lines name the device", async () => {
  const { ended, terminal, lines } = await runScript("console.log(process.env.TERM, words.at(-1));");
  await ended;
  expect(lines()).toEqual([
    "run --out=r --device=cuda:0 --shard=1/2",
    "run --out=r --device=cuda:1 --shard=2/2",
  ]);
  expect(terminal.said.sort()).toEqual(["cuda:0: dumb --shard=1/2", "cuda:1: dumb --shard=2/2"]);
});

test("names a process that fails; restarts one whose shard is locked", async () => {
  const failing = await runScript('process.exit(words.includes("--shard=2/2") ? 2 : 0);');
  await expect(failing.ended).rejects.toThrow("shard 2/2 on cuda:1 failed with exit code 2");
  const held = await runScript(`
    const before = readFileSync(log, "utf8").split("\\n").filter((line) => line === words.join(" ")).length;
    process.exit(words.includes("--shard=2/2") && before < 3 ? 75 : 0);`);
  await held.ended;
  expect(held.lines().length).toBe(4);
});

test("a stop by the user ends the processes", async () => {
  const stopped = new AbortController();
  const { ended, lines } = await runScript("setInterval(() => {}, 1000);", stopped.signal);
  const outcome = ended.then(
    () => "ended",
    (error: unknown) => error,
  );
  while (lines().length < 2) await pause(10);
  const reason = new Error("stopped");
  stopped.abort(reason);
  expect(await outcome).toBe(reason);
});

test.each([
  [["--devices", "cuda:0"], /Expected two or more devices/],
  [["--devices", "cuda:0,auto"], /Expected two or more devices/],
  [["--devices", "cuda:0,cuda:1", "--device", "cpu"], /--device and --devices cannot be combined/],
  [["--devices", "cuda:0,cuda:1", "--shard", "1/2"], /--shard and --devices cannot be combined/],
])("rejects %s", async (words, message) => {
  const terminal = collectingTerminal();
  const run = ["run", "--task", "regulatory-elements", "--model", "kmer-markov", "--out", temporaryFolder()];
  expect(await dispatch([...run, ...words], terminal, new AbortController().signal)).toBe(2);
  expect(terminal.said.join("\n")).toMatch(message);
});
