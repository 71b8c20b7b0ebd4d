import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { openAdapter } from "../../../src/models/external/adapter-model.ts";
import { openHttpChannel } from "../../../src/models/external/http-channel.ts";
import { startServer } from "../../http-server.ts";

const corrected = { protocol: "corrected" } as const;

interface Request {
  readonly id: number;
  readonly ask: string;
  readonly sequences: readonly string[];
}

const hello = { protocol: 1, name: "far", identity: "far 1", answers: ["log-likelihood"] };

/** A server that sends the result of `reply` with the request's id. */
async function serve(
  reply: (request: Request, response: ServerResponse) => object | undefined,
  greeting: object = hello,
) {
  return startServer(async (incoming: IncomingMessage, response) => {
    let text = "";
    for await (const piece of incoming) text += piece;
    const request = JSON.parse(text) as Request;
    const body = request.ask === "hello" ? greeting : reply(request, response);
    if (body !== undefined) response.end(JSON.stringify({ id: request.id, ...body }));
  });
}

const open = (address: string) =>
  openAdapter((greet) => openHttpChannel(address, greet, { attempts: 3, initialDelayMs: 1 }));

async function refusal(doing: Promise<unknown>): Promise<string> {
  const error: unknown = await doing.catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).describe();
}

const lengths = ({ sequences }: Request) => ({ values: sequences.map((letters) => -letters.length) });

test("a model behind an address scores sequences", async () => {
  const model = await open(await serve(lengths));
  expect(model).toMatchObject({ name: "far", identity: "adapter far 1" });
  expect([...Array.from(await model.logLikelihood!(["ACGT", "A"], corrected))]).toEqual([-4, -1]);
});

test("requests to a busy or failing server are retried", async () => {
  let requests = 0;
  const address = await serve((request, response) => {
    if (++requests % 3 === 0) return lengths(request);
    response.writeHead(requests % 3 === 1 ? 429 : 503).end();
    return undefined;
  });
  const model = await open(address);
  for (let i = 0; i < 3; i++) {
    expect([...Array.from(await model.logLikelihood!(["ACG"], corrected))]).toEqual([-3]);
  }
  expect(requests).toBe(9);
});

test("an adapter that does not run is reported after two attempts, one that stopped after all", async () => {
  let connections = 0;
  const silent = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await once(silent.listen(0, "127.0.0.1"), "listening");
  const { port } = silent.address() as AddressInfo;
  expect(await refusal(open(`http://127.0.0.1:${port}/`))).toMatch(
    /cannot be reached.*\n.*is the adapter running/,
  );
  expect(connections).toBe(2);
  silent.close();

  let requests = 0;
  const model = await open(
    await serve((_, response) => {
      requests++;
      response.destroy();
      return undefined;
    }),
  );
  await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>);
  expect(requests).toBe(3);
});

describe("an invalid response is an error that quotes it", () => {
  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ["a page", (response) => void response.end("<html>"), /<html> is not a JSON object/],
    [
      "a status",
      (response) => void response.writeHead(404).end("not here"),
      /responded with status 404: not here\n.*address of an adapter/,
    ],
    ["a permanent failure", (response) => void response.writeHead(500).end(), /responded with status 500/],
    [
      "an error of the adapter, with a status",
      (response) => void response.writeHead(400).end(`{"error":"too long for me"}`),
      /reports: too long for me/,
    ],
    ["another id", (response) => void response.end(`{"id":99,"values":[1]}`), /its id is 99; expected 2/],
  ])("%s", async (_, answer, message) => {
    const model = await open(
      await serve((_request, response) => {
        answer(response);
        return undefined;
      }),
    );
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(message);
  });

  test("a response later than secondsPerAnswer names the limit and the remedy", async () => {
    const address = await serve(() => undefined, { ...hello, secondsPerAnswer: 1 });
    const model = await open(address);
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(
      /^the adapter \S+ did not respond within 1 seconds\n {2}set secondsPerAnswer or a smaller batchSize/,
    );
  });

  test("secondsPerAnswer beyond the limit of HTTP", async () => {
    const model = await open(await serve(lengths, { ...hello, secondsPerAnswer: 3600 }));
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(
      /sets secondsPerAnswer to 3600\n.*over HTTP is 290/,
    );
  });

  test.each([
    ["ftp://x", /is not an address/],
    ["http://", /is not an address/],
    ["http://me:secret@127.0.0.1:1/", /a user name and password/],
    [
      "http://127.0.0.1:1/",
      /cannot be reached: .*\n {2}is the adapter running at http:\/\/127\.0\.0\.1:1\/\?/,
    ],
  ])("%s", async (address, message) => {
    const said = await refusal(open(address));
    expect(said).toMatch(message);
    expect(said).not.toContain("secret");
  });
});
