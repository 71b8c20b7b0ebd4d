import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { ConnectionError, checkWebAddress, postJson } from "../../src/base/http.ts";
import { startServer } from "../http-server.ts";

const options = { retries: { attempts: 4, initialDelayMs: 1, timeoutMs: 2000 }, maxBytes: 1000 };
const post = (url: string, more: Partial<typeof options> = {}, signal?: AbortSignal) =>
  postJson(new URL(url), `{"ask":"?"}`, { ...options, ...more, signal });

test("posts the body and returns the response with any status", async () => {
  const url = await startServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    response.writeHead(404).end(`${request.method} ${request.headers["content-type"]} ${body} ✓`);
  });
  expect(await post(url)).toEqual({ status: 404, text: 'POST application/json {"ask":"?"} ✓' });
});

describe("retries", () => {
  test.each([429, 500, 503])("after %i, up to the number of attempts", async (status) => {
    let requests = 0;
    const url = await startServer((_, response) => {
      requests++;
      if (requests < 3) response.writeHead(status).end("later");
      else response.end("now");
    });
    expect(await post(url)).toEqual({ status: 200, text: "now" });
    expect(requests).toBe(3);
  });

  test("until the last attempt, whose response is returned", async () => {
    let requests = 0;
    const url = await startServer((_, response) => {
      requests++;
      response.writeHead(500).end("broken");
    });
    expect(await post(url)).toEqual({ status: 500, text: "broken" });
    expect(requests).toBe(4);
  });

  test("after the delay of Retry-After", async () => {
    const times: number[] = [];
    const url = await startServer((_, response) => {
      times.push(Date.now());
      if (times.length > 1) response.end("ok");
      else response.writeHead(429, { "retry-after": "1" }).end();
    });
    await post(url);
    expect(times[1] - times[0]).toBeGreaterThan(950);
  });

  test("after a connection lost before the response", async () => {
    let requests = 0;
    const url = await startServer((request, response) => {
      if (++requests < 2) request.socket.destroy();
      else response.end("ok");
    });
    expect((await post(url)).text).toBe("ok");
  });
});

describe("refused", () => {
  test("a timeout, without a retry", async () => {
    let requests = 0;
    const url = await startServer(() => void requests++);
    const error = await post(url, { retries: { ...options.retries, timeoutMs: 100 } }).catch((e) => e);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached: the request timed out$/);
    expect(requests).toBe(1);
  });

  test("a response without end", async () => {
    const url = await startServer((_, response) => void response.write("["));
    const error = await post(url, { retries: { ...options.retries, timeoutMs: 200 } }).catch((e) => e);
    expect(error).toBeInstanceOf(ConnectionError);
  });

  test("a response that is too large, without reading it all", async () => {
    const url = await startServer((_, response) => {
      const timer = setInterval(() => response.write("A".repeat(500)), 1);
      response.on("close", () => clearInterval(timer));
    });
    await expect(post(url)).rejects.toThrow(/exceeds 1000 bytes/);
  });

  test("a redirect, invalid UTF-8, an unreachable server", async () => {
    const url = await startServer(({ url }, response) => {
      if (url === "/elsewhere") response.writeHead(302, { location: "http://example.org/" }).end();
      else response.end(Buffer.of(0xff, 0xfe));
    });
    await expect(post(`${url}/elsewhere`)).rejects.toThrow(/redirects to http:\/\/example\.org\//);
    await expect(post(url)).rejects.toThrow(/is not UTF-8 text/);
    await expect(post("http://127.0.0.1:1")).rejects.toThrow(/cannot be reached/);
  });

  test("an aborted request", async () => {
    const stop = new AbortController();
    const url = await startServer(() => stop.abort(new Error("enough")));
    await expect(post(url, {}, stop.signal)).rejects.toThrow("enough");
  });
});

test.each(["https://huggingface.co", "http://localhost:8080/mirror"])("%s is a valid address", (address) => {
  expect(() => checkWebAddress(address, "HF_ENDPOINT")).not.toThrow();
});

test.each(["foo", "localhost:8080", "file:///etc", "https://"])(
  "%s is not a valid address of the setting",
  (address) => {
    expect(() => checkWebAddress(address, "HF_ENDPOINT")).toThrow(InputError);
    expect(() => checkWebAddress(address, "HF_ENDPOINT")).toThrow(
      /^HF_ENDPOINT is ".*", which is not a valid address$/,
    );
  },
);
