import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const child = join(dirname(fileURLToPath(import.meta.url)), "privacy-child.ts");
const score = [process.execPath, "--import", "tsx", child];

/** An environment whose home, caches and temporary files lie in a new folder, and that says nothing of telemetry. */
function isolated() {
  const folder = temporaryFolder();
  const named = { HOME: "home", XDG_CACHE_HOME: "cache", TMPDIR: "tmp", DART_EVAL_CACHE: "dart-eval" };
  const folders = Object.fromEntries(Object.entries(named).map(([key, name]) => [key, join(folder, name)]));
  for (const each of Object.values(folders)) mkdirSync(each);
  const { ORT_DISABLE_TELEMETRY: _, ...env } = { ...process.env, ...folders };
  return { folder, env };
}

function run([program, ...words]: readonly string[], env: NodeJS.ProcessEnv) {
  const { status, stdout, stderr } = spawnSync(program!, words, { encoding: "utf8", cwd: repository, env });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^-\d+\.\d+ 1$/);
}

test("a model that runs writes its own cache alone: no database of events, no device id", () => {
  const { folder, env } = isolated();
  run(score, env);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const written = names.filter(
    (path) => statSync(join(folder, path)).isFile() && !path.startsWith("tmp/tsx"),
  );
  expect(written).toEqual(written.filter((path) => /^dart-eval\/digests\/[0-9a-f]{64}\.json$/.test(path)));
}, 120_000);

const hasStrace = spawnSync("strace", ["-V"]).status === 0;

test.skipIf(!hasStrace)(
  "under a system-call trace: no connection, no look-up, no file elsewhere",
  () => {
    const { folder, env } = isolated();
    const trace = join(folder, "trace.txt");
    const calls =
      "trace=socket,connect,sendto,sendmsg,open,openat,creat,rename,renameat,mkdir,mkdirat,unlink";
    run(["strace", "-f", "-e", calls, "-o", trace, ...score], env);
    const lines = readFileSync(trace, "utf8").split("\n");
    expect(lines.some((line) => line.includes("libonnxruntime.so"))).toBe(true);
    expect(
      lines.filter((line) => /AF_INET|AF_NETLINK|resolv\.conf|nsswitch\.conf|etc\/hosts/.test(line)),
    ).toEqual([]);
    expect(lines.filter((line) => /machine-id|onnxruntime\.db|deviceid/.test(line))).toEqual([]);
    const writes = lines.filter((line) =>
      /O_WRONLY|O_RDWR|O_CREAT|(creat|rename|mkdir|unlink)(at)?\(/.test(line),
    );
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.filter((line) => !line.includes(`"${folder}/`) && !line.includes('"/dev/'))).toEqual([]);
  },
  240_000,
);

test("a worker thread whose environment is a copy is refused, with what to set", async () => {
  const { env } = isolated();
  const file = JSON.stringify(join(repository, "src/net/runtime/onnx-runtime.ts"));
  const code = `
    const { parentPort } = require("node:worker_threads");
    require("tsx/cjs/api").register();
    require(${file}).onnxRuntime().then(() => "loaded", (error) => error.describe()).then((text) => parentPort.postMessage(text));`;
  const worker = new Worker(code, { eval: true, env, execArgv: [] });
  const text = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await worker.terminate();
  expect(text).toBe(
    "ONNX Runtime would send telemetry from this worker thread\n  set ORT_DISABLE_TELEMETRY=1 before the process starts",
  );
}, 120_000);
