import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compiled, program } from "../compiled.ts";
import { repository } from "../source-files.ts";

/**
 * A folder for a run, and an environment whose home, caches and temporary files lie there and that says
 * nothing of telemetry.
 */
function isolated() {
  const folder = mkdtempSync(join(tmpdir(), "dart-eval-privacy-"));
  const named = { HOME: "home", XDG_CACHE_HOME: "cache", TMPDIR: "tmp", DART_EVAL_CACHE: "dart-eval" };
  const folders = Object.fromEntries(Object.entries(named).map(([key, name]) => [key, join(folder, name)]));
  for (const each of Object.values(folders)) mkdirSync(each);
  const { ORT_DISABLE_TELEMETRY: _, ...env } = { ...process.env, ...folders };
  return { folder, env };
}

/**
 * A run of one row with a shipped checkpoint, which loads ONNX Runtime; `tracer` comes before its command
 * line.
 */
function run({ folder, env }: ReturnType<typeof isolated>, tracer: readonly string[] = []): void {
  const [genome, data, out] = ["genome.fa", "elements.tsv", "out"].map((name) => join(folder, name));
  writeFileSync(genome, `>chr5\n${"ACGTTGCAGG".repeat(80)}\n`);
  const columns = ["chr", "input_start", "input_end", "ccre_start", "ccre_end", "ccre_relative_start"];
  writeFileSync(
    data,
    `${[...columns, "ccre_relative_end", "reverse_complement"].join("\t")}\n${["chr5", 100, 450, 200, 300, 100, 200, "False"].join("\t")}\n`,
  );
  const words = ["run", "--task", "regulatory-elements", "--model", "toy:hyenadna"];
  words.push("--genome", genome, "--data", data, "--out", out, "--no-timing");
  const [executable, ...rest] = [...tracer, ...program("src/cli/main.ts"), ...words];
  const { status, stderr } = spawnSync(executable, rest, { encoding: "utf8", cwd: repository, env });
  expect(status, stderr).toBe(0);
}

const hasStrace = spawnSync("strace", ["-V"]).status === 0;
const TRACE = "trace.txt";
let setting: ReturnType<typeof isolated>;

/** One run for both tests, under a system-call trace where there is strace. */
beforeAll(() => {
  setting = isolated();
  const trace = join(setting.folder, TRACE);
  run(setting, hasStrace ? ["strace", "-f", "-e", "trace=network,file", "-o", trace] : []);
}, 300_000);
afterAll(() => rmSync(setting.folder, { recursive: true, force: true }));

test("a run writes its output, the genome's index and its own cache: no event database, no device id", () => {
  const names = readdirSync(setting.folder, { recursive: true, encoding: "utf8" });
  const elsewhere = names.filter(
    (path) =>
      path !== TRACE &&
      statSync(join(setting.folder, path)).isFile() &&
      !/^(genome\.fa(\.fai)?|elements\.tsv|out\/.*|dart-eval\/(digests|finite)\/[0-9a-f]{64}\.json)$/.test(
        path,
      ),
  );
  expect(elsewhere).toEqual([]);
  expect(names).toContain("genome.fa.fai");
});

test.skipIf(!hasStrace)(
  "a run under a system-call trace: no connection, no look-up, no file elsewhere [needs strace]",
  () => {
    const lines = readFileSync(join(setting.folder, TRACE), "utf8").split("\n");
    const matching = (pattern: RegExp) => lines.filter((line) => pattern.test(line));
    expect(matching(/libonnxruntime\.so/).length).toBeGreaterThan(0);
    expect(matching(/AF_INET|AF_NETLINK|resolv\.conf|nsswitch\.conf|etc\/hosts/)).toEqual([]);
    expect(matching(/onnxruntime\.db|deviceid/)).toEqual([]);
    const writes = matching(/O_WRONLY|O_RDWR|O_CREAT|\b(creat|rename|mkdir|unlink|link|symlink)(at2?)?\(/);
    expect(writes.length).toBeGreaterThan(10);
    expect(
      writes.filter((line) => !line.includes(`"${setting.folder}/`) && !line.includes('"/dev/')),
    ).toEqual([]);
  },
);

test("refuses a worker thread with a copied environment", async () => {
  const { env } = setting;
  const file = JSON.stringify(pathToFileURL(compiled("src/net/runtime/onnx-runtime.ts")));
  const code = `
    const { parentPort } = require("node:worker_threads");
    import(${file}).then((module) => module.onnxRuntime()).then(() => "loaded", (error) => error.describe()).then((text) => parentPort.postMessage(text));`;
  const worker = new Worker(code, { eval: true, env, execArgv: [] });
  const text = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await worker.terminate();
  expect(text).toBe(
    "ONNX Runtime would send telemetry from this worker thread\n  set ORT_DISABLE_TELEMETRY=1 before the process starts",
  );
}, 120_000);
