import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { download, HttpError } from "../../src/base/download.ts";
import { InputError } from "../../src/base/errors.ts";
import { takeLock } from "../../src/base/file-lock.ts";
import { ConnectionError } from "../../src/base/http.ts";
import { markOfThisProcess } from "../../src/base/process.ts";
import { sendFile, startServer } from "../http-server.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const retries = { attempts: 4, initialDelayMs: 1 };
const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
const sha256 = sha256Hex(bytes);

function target() {
  const folder = temporaryFolder();
  return { folder, path: join(folder, "model.bin") };
}
const isWhole = (path: string) => readFileSync(path).equals(bytes);

describe("an inconsistent server", () => {
  /** Sends the first 1000 bytes, then handles later requests with `later`. */
  async function cutServer(later: (start: number) => [status: number, range: string]) {
    let requests = 0;
    const url = await startServer((request, response) => {
      requests++;
      const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
      if (start === undefined) {
        response.writeHead(200, { "content-length": bytes.length, etag: '"one"' });
        response.write(bytes.subarray(0, 1000));
        setTimeout(() => response.destroy(), 20);
        return;
      }
      const [status, range] = later(Number(start));
      response.writeHead(status, { "content-range": range, etag: '"one"' });
      response.end(status === 206 ? bytes.subarray(Number(start) + 7) : undefined);
    });
    return { url, requests: () => requests };
  }

  test("gives up if the server drops the connection and then sends the wrong range", async () => {
    const server = await cutServer((start) => [206, `bytes ${start + 7}-299999/300000`]);
    const { path } = target();
    await expect(download({ url: server.url, path, retries })).rejects.toThrow(ConnectionError);
    expect(server.requests()).toBeLessThan(3 * retries.attempts);
    expect(existsSync(path)).toBe(false);
  });

  test("does not accept a part as the file if the server then reports its length as the total", async () => {
    const server = await cutServer((start) => [416, `bytes */${start}`]);
    const { path } = target();
    await expect(download({ url: server.url, path, retries })).rejects.toThrow(ConnectionError);
    expect(existsSync(path)).toBe(false);
  });
});

describe("a regular server", () => {
  test("downloads the file with progress and leaves no other files", async () => {
    const url = await startServer((request, response) => sendFile(request, response, bytes));
    const { folder, path } = target();
    const seen: [number, number | undefined][] = [];
    await download({ url, path: join(folder, "a", "model.bin"), onProgress: (...now) => seen.push(now) });
    expect(isWhole(join(folder, "a", "model.bin"))).toBe(true);
    expect(readdirSync(join(folder, "a"))).toEqual(["model.bin"]);
    expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
    expect(existsSync(path)).toBe(false);
  });

  test("gets no request for an intact file, and one for a damaged file", async () => {
    let requests = 0;
    const url = await startServer((request, response) => {
      requests++;
      sendFile(request, response, bytes);
    });
    const { path } = target();
    writeFileSync(path, bytes);
    await download({ url, path, expected: { sha256 } });
    expect(requests).toBe(0);
    writeFileSync(path, bytes.subarray(1));
    await download({ url, path, expected: { sha256 } });
    expect([requests, isWhole(path)]).toEqual([1, true]);
  });

  test("may send an empty file or omit the length", async () => {
    const url = await startServer(({ url }, response) => {
      if (url === "/empty") response.end();
      else {
        response.write(bytes.subarray(0, 1000));
        response.end(bytes.subarray(1000));
      }
    });
    const { folder, path } = target();
    await download({ url: `${url}/empty`, path: join(folder, "empty") });
    expect(readFileSync(join(folder, "empty")).length).toBe(0);
    await download({ url: `${url}/chunked`, path, expected: { sha256 } });
    expect(isWhole(path)).toBe(true);
  });
});

describe("a lost connection", () => {
  test("resumes at the last byte", async () => {
    const ranges: (string | undefined)[] = [];
    const url = await startServer((request, response) => {
      ranges.push(request.headers.range);
      sendFile(request, response, bytes, { etag: '"1"', cutAfter: 100_000 });
    });
    const { path } = target();
    await download({ url, path, retries });
    expect(isWhole(path)).toBe(true);
    expect(ranges).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
  });

  test("starts over if the server does not support ranges", async () => {
    let requests = 0;
    const url = await startServer((_, response) => {
      requests++;
      response.writeHead(200, { "content-length": bytes.length, etag: '"1"' });
      if (requests > 2) response.end(bytes);
      else response.write(bytes.subarray(0, 70_000), () => response.destroy());
    });
    const { path } = target();
    await download({ url, path, retries });
    expect([requests, isWhole(path)]).toEqual([3, true]);
  });

  test("starts over if the file has changed at the source", async () => {
    const other = bytes.map((byte) => byte ^ 1);
    let requests = 0;
    const url = await startServer((request, response) => {
      requests++;
      if (requests === 1) sendFile(request, response, other, { etag: '"old"', cutAfter: 50_000 });
      else sendFile(request, response, bytes, { etag: '"new"' });
    });
    const { path } = target();
    await download({ url, path, retries });
    expect([requests, isWhole(path)]).toEqual([2, true]);
  });

  test("starts over without an ETag or date", async () => {
    const ranges: (string | undefined)[] = [];
    const url = await startServer((request, response) => {
      ranges.push(request.headers.range);
      sendFile(request, response, bytes, ranges.length === 1 ? { cutAfter: 50_000 } : {});
    });
    const { path } = target();
    await download({ url, path, retries });
    expect([ranges, isWhole(path)]).toEqual([[undefined, undefined], true]);
  });

  test("gives up after repeated attempts without progress and keeps the part", async () => {
    const url = await startServer((request, response) => {
      if (request.headers.range === undefined) sendFile(request, response, bytes, { cutAfter: 1000 });
      else response.destroy();
    });
    const { path } = target();
    const failed = download({ url, path, retries, expected: { sha256 } });
    await expect(failed).rejects.toThrow(ConnectionError);
    await expect(failed).rejects.toThrow(/^127.0.0.1:\d+ cannot be reached: the connection was lost/);
    expect(readFileSync(`${path}.part`).length).toBe(1000);
  });
});

describe("a later call", () => {
  async function stopHalfWay(path: string) {
    const controller = new AbortController();
    const url = await startServer((request, response) =>
      sendFile(request, response, bytes, { cutAfter: 120_000 }),
    );
    const stopped = download({
      url,
      path,
      expected: { sha256 },
      signal: controller.signal,
      retries: { attempts: 4, initialDelayMs: 60_000 },
      onProgress: (done) => {
        if (done === 120_000) controller.abort(new Error("stopped by hand"));
      },
    });
    await expect(stopped).rejects.toThrow("stopped by hand");
    expect(readFileSync(`${path}.part`).length).toBe(120_000);
  }

  test("resumes the part if a digest is expected", async () => {
    const { folder, path } = target();
    await stopHalfWay(path);
    const ranges: (string | undefined)[] = [];
    const url = await startServer((request, response) => {
      ranges.push(request.headers.range);
      sendFile(request, response, bytes);
    });
    await download({ url, path, expected: { sha256, bytes: bytes.length } });
    expect([ranges, isWhole(path), readdirSync(folder)]).toEqual([["bytes=120000-"], true, ["model.bin"]]);
  });

  test("starts over without an expected digest", async () => {
    const { path } = target();
    await stopHalfWay(path);
    const url = await startServer((request, response) => {
      expect(request.headers.range).toBeUndefined();
      sendFile(request, response, bytes);
    });
    await download({ url, path });
    expect(isWhole(path)).toBe(true);
  });

  test.each([
    ["of another file", new Uint8Array(1000)],
    ["as long as the file", new Uint8Array(bytes.length)],
    ["longer than the file", new Uint8Array(bytes.length + 5)],
    ["whole", bytes],
  ])("handles a part that is %s", async (_, part) => {
    for (const expected of [{ sha256 }, { sha256, bytes: bytes.length }]) {
      const { path } = target();
      writeFileSync(`${path}.part`, part);
      const url = await startServer((request, response) => sendFile(request, response, bytes));
      await download({ url, path, expected, retries });
      expect(isWhole(path)).toBe(true);
    }
  });
});

describe("a busy server", () => {
  test("is retried after Retry-After", async () => {
    const times: number[] = [];
    const url = await startServer((request, response) => {
      times.push(Date.now());
      if (times.length === 1) response.writeHead(429, { "retry-after": "1" }).end();
      else if (times.length === 2) response.writeHead(503).end();
      else sendFile(request, response, bytes);
    });
    const { path } = target();
    await download({ url, path, retries });
    expect(isWhole(path)).toBe(true);
    expect(times[1] - times[0]).toBeGreaterThanOrEqual(990);
    expect(times[2] - times[1]).toBeLessThan(900);
  });

  test("fails after the last attempt", async () => {
    let requests = 0;
    const url = await startServer((_, response) => {
      requests++;
      response.writeHead(429).end();
    });
    const failed = download({ url, path: target().path, retries });
    await expect(failed).rejects.toMatchObject({
      status: 429,
      hint: "try again later: the download resumes",
    });
    expect(requests).toBe(retries.attempts);
  });
});

describe("an error status", () => {
  test.each([
    [401, "denies access to"],
    [403, "denies access to"],
    [404, "does not exist"],
    [418, "returned 418"],
  ])("%d is not retried", async (status, message) => {
    let requests = 0;
    const url = await startServer((_, response) => {
      requests++;
      response.writeHead(status).end("<html>");
    });
    const { folder, path } = target();
    const error = await download({ url, path, retries }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(HttpError);
    expect((error as HttpError).message).toContain(message);
    expect([requests, existsSync(path), readdirSync(folder)]).toEqual([1, false, []]);
  });

  test("removes a file with the wrong digest and reports both digests", async () => {
    const wrong = bytes.with(5, 0);
    const url = await startServer((request, response) => sendFile(request, response, wrong));
    const { folder, path } = target();
    const failed = download({ url, path, expected: { sha256 } });
    await expect(failed).rejects.toThrow(InputError);
    await expect(failed).rejects.toThrow(`has the SHA-256 ${sha256Hex(wrong)}; expected ${sha256}`);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("refuses a wrong size before the download", async () => {
    let sent = 0;
    const url = await startServer((_, response) => {
      response.writeHead(200, { "content-length": 10 ** 12 });
      const more = () => {
        sent += 65_536;
        if (response.write(Buffer.alloc(65_536))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    });
    const { path } = target();
    const failed = download({ url, path, expected: { bytes: bytes.length }, retries });
    await expect(failed).rejects.toThrow(`has ${10 ** 12} bytes; expected ${bytes.length}`);
    expect(sent).toBeLessThan(50_000_000);
  });

  test("stops when the server sends too many bytes", async () => {
    const url = await startServer((_, response) => {
      response.write(bytes);
      response.end(bytes);
    });
    const { path } = target();
    const failed = download({ url, path, expected: { bytes: bytes.length } });
    await expect(failed).rejects.toThrow(`sent more than ${bytes.length} bytes`);
  });

  test("reports a file in place of the folder", async () => {
    const { path } = target();
    writeFileSync(path, "");
    const failed = download({ url: "http://127.0.0.1:9/", path: join(path, "model.bin") });
    await expect(failed).rejects.toThrow(InputError);
  });
});

test("follows redirects with the range but does not send the token to another host", async () => {
  const got: Record<string, string | undefined>[] = [];
  const storage = await startServer((request, response) => {
    const { authorization, range } = request.headers;
    got.push({ authorization, range });
    sendFile(request, response, bytes, { etag: '"1"', ...(got.length === 2 ? { cutAfter: 1000 } : {}) });
  });
  const hub = await startServer(({ headers: { authorization, range } }, response) => {
    got.push({ authorization, range });
    response.writeHead(302, { location: storage.replace("127.0.0.1", "localhost") }).end();
  });
  const { path } = target();
  await download({
    url: hub,
    path,
    headers: { authorization: "Bearer hf_x" },
    expected: { sha256 },
    retries,
  });
  expect(isWhole(path)).toBe(true);
  expect(got.filter(({ authorization }) => authorization === undefined).length).toBe(got.length / 2);
  expect(got.at(-1)!.range).toMatch(/^bytes=\d+-$/);
});

describe("no connection", () => {
  test("retries a closed port and names it", async () => {
    const failed = download({ url: "http://127.0.0.1:9/model.bin", path: target().path, retries });
    await expect(failed).rejects.toThrow(ConnectionError);
    await expect(failed).rejects.toThrow("127.0.0.1:9 cannot be reached");
  });

  test("names an unknown host", async () => {
    const failed = download({ url: "http://hub.invalid/model.bin", path: target().path, retries });
    await expect(failed).rejects.toThrow(/^hub.invalid cannot be reached: (unknown host|the host name)/);
  });
});

test("a signal interrupts the delay before a retry", async () => {
  const url = await startServer((_, response) => response.writeHead(503, { "retry-after": "60" }).end());
  const signal = AbortSignal.timeout(50);
  const before = Date.now();
  await expect(download({ url, path: target().path, signal })).rejects.toThrow(/timeout/i);
  expect(Date.now() - before).toBeLessThan(5000);
});

describe("two downloads of the same file", () => {
  test("the second waits, reports it, and does not fetch again", async () => {
    let requests = 0;
    const url = await startServer((request, response) => {
      requests++;
      sendFile(request, response, bytes);
    });
    const { path } = target();
    const notes: string[] = [];
    const lock = await takeLock(`${path}.lock`);
    const waiting = download({ url, path, expected: { sha256 }, onWait: (why) => notes.push(why) });
    await expect.poll(() => notes.length).toBe(1);
    expect(notes[0]).toMatch(/^waiting for another download of .*model\.bin: process \d+ has held this lock/);
    expect(requests).toBe(0);
    writeFileSync(path, bytes);
    await lock.release();
    await waiting;
    expect([requests, notes.length]).toEqual([0, 1]);
  });

  test("a signal interrupts the wait", async () => {
    const { path } = target();
    await using _ = await takeLock(`${path}.lock`);
    const signal = AbortSignal.timeout(20);
    await expect(download({ url: "http://127.0.0.1:9/", path, signal })).rejects.toThrow(/timeout/i);
  });

  test("a signal interrupts the watch of a heartbeat on another machine", async () => {
    const { folder, path } = target();
    const mark = {
      ...(await markOfThisProcess()),
      host: "another-host",
      machine: "0",
      since: "2024-12-06T00:00:00Z",
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.lock`, JSON.stringify(mark));
    const notes: string[] = [];
    const signal = AbortSignal.timeout(50);
    const failed = download({
      url: "http://127.0.0.1:9/",
      path,
      signal,
      onWait: (why) => notes.push(why),
    });
    await expect(failed).rejects.toThrow(/timeout/i);
    expect(notes).toEqual([expect.stringMatching(/on "another-host" took .*watching its heartbeat/)]);
  });
});

describe("an expiring address", () => {
  test("is requested again after a lost connection and never printed", async () => {
    let requests = 0;
    const url = await startServer((request, response) => {
      if (request.url !== `/model.bin?signature=${requests}`) response.writeHead(403).end();
      else sendFile(request, response, bytes, { etag: '"1"', cutAfter: 120_000 });
    });
    const { path } = target();
    await download({ url: async () => `${url}/model.bin?signature=${++requests}`, path, retries });
    expect([requests, isWhole(path)]).toEqual([3, true]);

    const stale = download({ url: async () => `${url}/model.bin?signature=secret`, path, retries });
    const error = (await stale.catch((error: unknown) => error)) as HttpError;
    expect([error.status, error.describe()]).toEqual([403, expect.not.stringContaining("secret")]);
  });
});

test("checks an MD5 and resumes with it if there is no other digest", async () => {
  const md5 = createHash("md5").update(bytes).digest("hex");
  const ranges: (string | undefined)[] = [];
  const url = await startServer((request, response) => {
    ranges.push(request.headers.range);
    sendFile(request, response, bytes);
  });
  const { path } = target();
  writeFileSync(`${path}.part`, bytes.subarray(0, 1000));
  await download({ url, path, expected: { md5 } });
  expect([ranges, isWhole(path)]).toEqual([["bytes=1000-"], true]);
  const other = download({ url, path: `${path}.2`, expected: { md5: "0".repeat(32) } });
  await expect(other).rejects.toThrow(`has the MD5 ${md5}; expected ${"0".repeat(32)}`);
});
