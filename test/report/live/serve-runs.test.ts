import { readdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults, type StoredResult } from "../../../src/evaluation/runs/stored-results.ts";
import type { Model } from "../../../src/models/model.ts";
import { serveRuns } from "../../../src/report/live/serve-runs.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { fakeModel, fakeTask } from "../../evaluation/fake-task.ts";
import { folderOfFile } from "../../temporary-folder.ts";

const root = folderOfFile();

const task = fakeTask({ rows: 40 });

async function runHalf(folder: string, index: number, model: Model = fakeModel()) {
  const shard = { index, count: 2 };
  const plan = await planRun({
    tasks: [{ task, inputs: {} }],
    models: [model],
    folder,
    shard,
    timing: false,
  });
  await runShard(plan);
  await plan.close();
}

/** Page of tests, since the report's script is not built here. */
const page = async (results: readonly unknown[]) => `<!doctype html><title>${results.length} results</title>`;

const get = async (url: string) => {
  const response = await fetch(url);
  return { response, text: await response.text() };
};

/** Status of a request with any method and Host header, which `fetch` does not allow. */
const statusOf = (url: string, host: string, method = "GET") =>
  new Promise<number | undefined>((resolve, reject) => {
    const sent = request(url, { method, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject).end();
  });

describe("serveRuns", () => {
  test("shows the results of the complete cells as merging will write them, before the others are done", async () => {
    const folder = join(root, "two");
    const inner = fakeModel();
    const broken: Model = {
      ...inner,
      name: "broken",
      logLikelihood: () => {
        throw new Error("lost");
      },
    };
    const plan = async (models: readonly Model[]) => {
      const planned = await planRun({ tasks: [{ task, inputs: {} }], models, folder, timing: false });
      await using _ = { [Symbol.asyncDispose]: () => planned.close() };
      await runShard(planned);
    };
    await expect(plan([inner, broken])).rejects.toThrow("lost");
    let shown: readonly StoredResult[] = [];
    const remember = async (results: readonly StoredResult[]) => {
      shown = results;
      return "<!doctype html>";
    };
    await using server = await serveRuns([folder], { page: remember, tasks: [task] });
    expect((await get(`${server.url}/status`)).text).toContain("0 of 2 cells merged, 1 more complete");
    await get(`${server.url}/report`);
    expect(shown.map(({ result }) => result.cell.model.name)).toEqual([inner.name]);

    await plan([inner, { ...inner, name: "broken" }]);
    await mergeRun(folder, { tasks: [task] });
    const [first, second] = await readResults(folder);
    expect(shown[0].result).toEqual(first.result);
    await get(`${server.url}/report`);
    expect(shown).toEqual([first, second]);
  });

  test("shows progress while a run goes on, then its report", async () => {
    const folder = join(root, "run");
    await runHalf(folder, 1);
    await using server = await serveRuns([folder], { page, tasks: [task] });
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const early = await get(`${server.url}/`);
    expect(early.text).toContain("0 of 1 cell merged");
    expect(early.text).toMatch(/<progress max="40" value="\d+" aria-labelledby="cell-/);
    expect(early.text).toContain("1 of 2 shards done, 1 not started");
    expect(early.text).toContain('http-equiv="refresh"');
    expect((await get(`${server.url}/report`)).response.status).toBe(404);

    await runHalf(folder, 2);
    const complete = await get(`${server.url}/`);
    expect(complete.text).toMatch(/<iframe class="report"/);
    expect((await get(`${server.url}/status`)).text).toContain("0 of 1 cell merged, 1 more complete");
    expect((await get(`${server.url}/report`)).text).toBe("<!doctype html><title>1 results</title>");
    expect(await readdir(folder, { recursive: true })).not.toContain(expect.stringMatching(/result\.json$/));
    await mergeRun(folder, { tasks: [task] });
    const late = await get(`${server.url}/`);
    expect(late.text).toMatch(/<iframe class="status".*src="\/status\?seen=[0-9a-f]{16}"/);
    expect(late.text).not.toContain("http-equiv");
    const report = await get(`${server.url}/report`);
    expect(report.text).toBe("<!doctype html><title>1 results</title>");
    expect(report.response.headers.get("content-security-policy")).toBe("frame-ancestors 'self'");
    const [, seen] = /seen=([0-9a-f]+)/.exec(late.text)!;
    expect((await get(`${server.url}/status?seen=${seen}`)).text).not.toContain("New results");
    expect((await get(`${server.url}/status?seen=0`)).text).toContain("New results");
    const [status] = JSON.parse((await get(`${server.url}/status.json`)).text);
    expect(status.cells[0]).toMatchObject({ merged: true, rowsDone: 40 });
  });

  test("shows the error of a failed shard as text", async () => {
    const folder = join(root, "failed");
    const inner = fakeModel();
    const broken: Model = {
      ...inner,
      name: "<script>alert(1)</script>",
      logLikelihood: () => {
        throw new Error("<img src=x> is lost");
      },
    };
    await expect(runHalf(folder, 1, broken)).rejects.toThrow("is lost");
    await using server = await serveRuns([folder], { page });
    const { text, response } = await get(`${server.url}/status`);
    expect(text).toContain("&lt;img src=x&gt; is lost");
    expect(text).not.toMatch(/<script|<img/);
    const policy = response.headers.get("content-security-policy")!;
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(policy).not.toContain("unsafe");
    expect(policy).not.toContain("script-src");
  });

  test("accepts the names of this machine only, and reading methods only", async () => {
    const folder = join(root, "hosts");
    await runHalf(folder, 1);
    await using server = await serveRuns([folder], { page });
    const { port, host } = new URL(server.url);
    expect(await statusOf(server.url, host)).toBe(200);
    expect(await statusOf(server.url, `localhost:${port}`)).toBe(200);
    for (const other of [
      "attacker.example",
      `attacker.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port}.attacker.example`,
    ]) {
      expect(await statusOf(server.url, other), other).toBe(421);
    }
    expect(await statusOf(server.url, host, "POST")).toBe(405);
    expect(await statusOf(server.url, host, "HEAD")).toBe(200);
  });

  test.each([
    "/plan.json",
    "/../plan.json",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/run/plan.json",
    "/status/..",
  ])("serves no file: %s", async (path) => {
    const folder = join(root, "files");
    await runHalf(folder, 1);
    await using server = await serveRuns([folder], { page });
    const { port } = new URL(server.url);
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port, path, headers: { host: `127.0.0.1:${port}` } },
        (response) => {
          let body = "";
          response.on("data", (piece) => {
            body += piece;
          });
          response.on("end", () => resolve(body));
        },
      );
      sent.on("error", reject).end();
    });
    expect(text).not.toMatch(/identity|root:/);
  });

  test("refuses a port in use, and a folder without a run", async () => {
    const folder = join(root, "ports");
    await runHalf(folder, 1);
    await using server = await serveRuns([folder], { page });
    const port = Number(new URL(server.url).port);
    await expect(serveRuns([folder], { page, port })).rejects.toThrow(`port ${port} is in use`);
    await expect(serveRuns([root], { page })).rejects.toThrow("no run in this folder");
  });

  test("reports an error while it serves, and goes on", async () => {
    const folder = join(root, "removed");
    await runHalf(folder, 1);
    await using server = await serveRuns([folder], { page });
    await rm(folder, { recursive: true });
    const { response, text } = await get(`${server.url}/status`);
    expect(response.status).toBe(500);
    expect(JSON.parse(text).error).toContain("no run in this folder");
    await runHalf(folder, 1);
    expect((await get(`${server.url}/status`)).response.status).toBe(200);
  });
});

describe("dart-eval view", () => {
  test("prints its address and ends when the user stops it", async () => {
    const folder = join(root, "command");
    await runHalf(folder, 1);
    const controller = new AbortController();
    const running = runCommand(["view", folder], controller.signal);
    setTimeout(() => controller.abort(), 300);
    const { exitCode, printed } = await running;
    expect(printed).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(exitCode).toBe(0);
    await expect(fetch(printed)).rejects.toThrow();
  });

  test("refuses a number above all ports", async () => {
    const { exitCode, said } = await runCommand(["view", root, "--port", "70000"]);
    expect(said).toContain("at most 65535");
    expect(exitCode).toBe(2);
  });
});
