import type { IncomingMessage, ServerResponse } from "node:http";
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

/** A server that answers as `reply` says; what it gives is sent with the question's id. */
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

test("an address is asked as a program is", async () => {
  const model = await open(await serve(lengths));
  expect(model).toMatchObject({ name: "far", identity: "adapter far 1" });
  expect([...Array.from(await model.logLikelihood!(["ACGT", "A"], corrected))]).toEqual([-4, -1]);
});

test("a server that is busy, or fails, is asked again", async () => {
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

describe("refused, with what came", () => {
  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ["a page", (response) => void response.end("<html>"), /<html> is no JSON object/],
    [
      "a status",
      (response) => void response.writeHead(404).end("not here"),
      /answered with status 404: not here\n.*address of an adapter/,
    ],
    ["a failure that stays", (response) => void response.writeHead(500).end(), /answered with status 500/],
    [
      "its own words, with a status",
      (response) => void response.writeHead(400).end(`{"error":"too long for me"}`),
      /says: too long for me/,
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

  test("an answer that takes longer than said", async () => {
    const address = await serve(() => undefined, { ...hello, secondsPerAnswer: 1 });
    const model = await open(address);
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(
      /cannot be reached: the request timed out/,
    );
  });

  test("an adapter that wants more time than there is", async () => {
    const model = await open(await serve(lengths, { ...hello, secondsPerAnswer: 3600 }));
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(
      /asks for 3600 seconds for an answer\n.*at most 290/,
    );
  });

  test.each([
    ["ftp://x", /is no address/],
    ["http://", /is no address/],
    ["http://me:secret@127.0.0.1:1/", /a name and a password/],
    ["http://127.0.0.1:1/", /cannot be reached/],
  ])("%s", async (address, message) => {
    const said = await refusal(open(address));
    expect(said).toMatch(message);
    expect(said).not.toContain("secret");
  });
});
