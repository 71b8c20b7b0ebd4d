import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { openAdapter, openStdioModel } from "../../../src/models/external/adapter-model.ts";
import type { SendRequest } from "../../../src/models/external/adapter-protocol.ts";
import { openStdioChannel, type StdioOptions } from "../../../src/models/external/stdio-channel.ts";
import type { Model } from "../../../src/models/model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const corrected = { protocol: "corrected" } as const;

const HELLO = `{ protocol: 1, name: "toy", identity: "toy 1", answers: ["log-likelihood", "embeddings", "alleles"] }`;
const ANSWER = `{ values: (request.sequences ?? request.pairs).map((s) => typeof s === "string" ? -s.length : [-1, -2]) }`;

/** The command of an adapter in JavaScript; `answer` may use `request`, and `starts`, which counts from 1. */
function adapter({ hello = HELLO, answer = ANSWER, log = "" } = {}): string {
  const folder = temporaryFolder();
  const file = join(folder, "adapter.cjs");
  const counter = join(folder, "starts");
  writeFileSync(
    file,
    `const fs = require("node:fs");
     fs.appendFileSync(${JSON.stringify(counter)}, "x");
     const starts = fs.readFileSync(${JSON.stringify(counter)}, "utf8").length;
     require("node:readline").createInterface(process.stdin).on("line", async (line) => {
       const request = JSON.parse(line);
       ${log && `fs.appendFileSync(${JSON.stringify(log)}, line + "\\n");`}
       const body = request.ask === "hello" ? (${hello}) : await (async () => (${answer}))();
       if (body !== undefined) console.log(typeof body === "string" ? body : JSON.stringify({ id: request.id, ...body }));
     });`,
  );
  return `"${process.execPath}" "${file}"`;
}

async function open(command: string, options: StdioOptions = {}): Promise<Model> {
  const model = await openAdapter((greet) =>
    openStdioChannel(command, greet, { initialDelayMs: 1, ...options }),
  );
  onTestFinished(async () => void (await model.close!()));
  return model;
}

async function refusal(doing: Promise<unknown>): Promise<string> {
  const error: unknown = await doing.catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).describe();
}

describe("an adapter", () => {
  test("after the handshake answers the queries that it declares", async () => {
    const log = join(temporaryFolder(), "log");
    const model = await open(adapter({ log }));
    expect(model).toMatchObject({ name: "toy", identity: "adapter toy 1", batchSize: 32 });
    expect([...Array.from(await model.logLikelihood!(["ACGT", "A"], corrected))]).toEqual([-4, -1]);
    expect(await model.compareAlleles!([["A", "C"]], corrected)).toEqual([{ first: -1, second: -2 }]);
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(lines[0]).toMatch(/^\{"id":1,"ask":"hello","protocol":1,"client":"dart-eval \d+\.\d+\.\d+"\}$/);
    expect(lines.slice(1)).toEqual([
      `{"id":2,"ask":"log-likelihood","sequences":["ACGT","A"]}`,
      `{"id":3,"ask":"alleles","pairs":[["A","C"]]}`,
    ]);
  });

  test("may set its limits and describe itself", async () => {
    const hello = `{ protocol: 1, name: "t", answers: ["log-likelihood"], kind: "causal", tokens: "one-letter", batchSize: 7, longestSequence: 5, scoreRounding: 0.00390625, more: 1 }`;
    const model = await open(adapter({ hello }));
    expect(model).toMatchObject({
      kind: "causal",
      tokens: "one-letter",
      batchSize: 7,
      scoreRounding: 2 ** -8,
    });
    expect([model.embed, model.compareAlleles, model.identity]).toEqual([undefined, undefined, undefined]);
    expect(await refusal(model.logLikelihood!(["A", "ACGTAC"], corrected) as Promise<unknown>)).toMatch(
      /sequence 1 has 6 bases, but t takes at most 5/,
    );
  });

  test("sends states as rows of numbers or as base64, with the bases of each token", async () => {
    const bytes = Buffer.from(Float32Array.of(1, 2.5, -3, 4).buffer).toString("base64");
    const answer = `{ embeddings: [
      { states: [[1, 2.5], [-3, 4]], starts: [0, 0], ends: [0, 4] },
      { states: "${bytes}", width: 2, starts: [0, 2], ends: [2, 4] },
    ] }`;
    const model = await open(adapter({ answer }));
    const [rows, base64] = await model.embed!(["ACGT", "ACGT"], corrected);
    expect(rows).toEqual({
      states: Float32Array.of(1, 2.5, -3, 4),
      tokens: 2,
      width: 2,
      starts: Int32Array.of(0, 0),
      ends: Int32Array.of(0, 4),
    });
    expect(base64.states).toEqual(rows.states);
  });

  test("receives one request at a time from concurrent callers", async () => {
    const answer = `await new Promise((done) => setTimeout(() => done({ values: request.sequences.map((s) => -s.length) }), 20))`;
    const model = await open(adapter({ answer }));
    const asked = ["A", "AC", "ACG"].map((letters) => model.logLikelihood!([letters], corrected));
    expect((await Promise.all(asked)).map((values) => values[0])).toEqual([-1, -2, -3]);
  });

  test("reads anything that is not a number as NaN", async () => {
    const answer = `'{"id": ' + request.id + ', "values": [NaN , -Infinity,  null, "x", -1.5]}' + " ".repeat(2 ** 20)`;
    const model = await open(adapter({ answer }));
    const values = await model.logLikelihood!(["A", "A", "A", "A", "A"], corrected);
    expect([...Array.from(values)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN, -1.5]);
  });
});

describe("an adapter that exits", () => {
  test("is restarted and gets the same request again", async () => {
    const answer = `starts < 3 ? process.exit(9) : ${ANSWER}`;
    const model = await open(adapter({ answer }));
    expect([...Array.from(await model.logLikelihood!(["ACG"], corrected))]).toEqual([-3]);
  });

  test("after a response is restarted for the next request", async () => {
    const answer = `(setTimeout(() => process.exit(0), 1), ${ANSWER})`;
    const model = await open(adapter({ answer }));
    for (let i = 0; i < 5; i++) {
      await model.logLikelihood!(["A"], corrected);
      await new Promise((done) => setTimeout(done, 30));
    }
  });

  test("repeatedly fails the request with its exit code", async () => {
    const model = await open(adapter({ answer: "process.exit(9)" }), { restarts: 2 });
    const asked = model.logLikelihood!(["A"], corrected) as Promise<unknown>;
    expect(await refusal(asked)).toMatch(
      /ended with exit code 9 before it responded after 2 restarts\n.*standard error/,
    );
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(/exit code 9/);
  });

  test("and restarts as another model is an error", async () => {
    const hello = `{ ...${HELLO}, identity: "toy " + starts }`;
    const model = await open(adapter({ hello, answer: "process.exit(1)" }));
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(
      /after a restart it is "toy", toy 2; it was "toy", toy 1/,
    );
  });

  test("before the handshake is not restarted", async () => {
    const command = adapter({ hello: "process.exit(3)" });
    expect(await refusal(open(command))).toMatch(/ended with exit code 3/);
  });
});

describe("an invalid response is an error that quotes it", () => {
  test.each<[string, string, RegExp]>([
    ["another protocol", `{ protocol: 2, name: "x", answers: ["log-likelihood"] }`, /protocol: expected 1/],
    ["no name", `{ protocol: 1, answers: ["log-likelihood"] }`, /name: expected a string/],
    [
      "a name of two lines",
      `{ protocol: 1, name: "a\\nb", answers: ["log-likelihood"] }`,
      /name: expected one line/,
    ],
    ["no outputs", `{ protocol: 1, name: "x", answers: [] }`, /answers: expected at least 1 item/],
    [
      "an unknown output",
      `{ protocol: 1, name: "x", answers: ["poems"] }`,
      /answers\.0: expected "log-likelihood" or /,
    ],
    [
      "text",
      `"Loading weights\\u2026 \\u001b[1m"`,
      /Loading weights… [^ ]+ is not a JSON object\n.*standard error/,
    ],
    ["a list", `"[1]"`, /\[1\] is not a JSON object/],
    ["another id", `{ id: 7 }`, /its id is 7; expected 1/],
    ["an error", `{ error: "no weights in ./here" }`, /adapter .* reports: no weights in \.\/here/],
    ["an error without text", `{ error: { toString: 1 } }`, /adapter .* reports: \{"toString":1\}/],
  ])("hello: %s", async (_, hello, message) => {
    expect(await refusal(open(adapter({ hello })))).toMatch(message);
  });

  test.each<[string, string, RegExp]>([
    ["too few numbers", "{ values: [1] }", /values: has 1 entries; expected 2/],
    ["no numbers", "{ scores: [1, 2] }", /values: expected a list/],
    ["a line in between", `"almost done"`, /almost done is not a JSON object/],
  ])("likelihoods: %s", async (_, answer, message) => {
    const model = await open(adapter({ answer }));
    expect(await refusal(model.logLikelihood!(["A", "C"], corrected) as Promise<unknown>)).toMatch(message);
  });

  test.each<[string, string, RegExp]>([
    [
      "a token too many",
      "states: [[1], [2]], starts: [0], ends: [4]",
      /embeddings\.0\.starts: 1 starts and 1 ends for 2 tokens/,
    ],
    [
      "a token beyond the sequence",
      "states: [[1], [2]], starts: [0, 4], ends: [4, 5]",
      /token 1 covers bases 4 to 5 of 4.*special one/,
    ],
    [
      "tokens out of order",
      "states: [[1], [2]], starts: [2, 0], ends: [4, 2]",
      /token 1 covers bases 0 to 2 of 4, after 4/,
    ],
    [
      "a fraction of a base",
      "states: [[1]], starts: [0.5], ends: [4]",
      /embeddings\.0\.starts\.0: expected a whole number/,
    ],
    [
      "rows of two lengths",
      "states: [[1], [2, 3]], starts: [0, 1], ends: [1, 4]",
      /states: rows of different lengths/,
    ],
    ["bytes without a width", `states: "AAAA", starts: [0], ends: [4]`, /width: expected a whole number/],
    [
      "base64 of an incomplete row",
      `states: "AAAA", width: 1, starts: [0], ends: [4]`,
      /states: expected base64 of rows of 1/,
    ],
    ["invalid base64", `states: "AAA!AAA=", width: 1, starts: [0], ends: [4]`, /states: expected base64/],
    ["no states", "starts: [0], ends: [4]", /states: expected a list of rows/],
  ])("embeddings: %s", async (_, entry, message) => {
    const model = await open(adapter({ answer: `{ embeddings: [{ ${entry} }] }` }));
    expect(await refusal(model.embed!(["ACGT"], corrected) as Promise<unknown>)).toMatch(message);
  });

  test("an error of the adapter is reported, and the next request is sent", async () => {
    const answer = `request.sequences[0] === "N" ? { error: "no N here" } : ${ANSWER}`;
    const model = await open(adapter({ answer }));
    expect(await refusal(model.logLikelihood!(["N"], corrected) as Promise<unknown>)).toMatch(
      /reports: no N here/,
    );
    expect([...Array.from(await model.logLikelihood!(["A"], corrected))]).toEqual([-1]);
  });
});

describe("an adapter that does not respond", () => {
  const silent = (hello: string) => open(adapter({ hello, answer: "undefined" }));

  test("fails the request after secondsPerAnswer", async () => {
    const model = await silent(`{ ...${HELLO}, secondsPerAnswer: 1 }`);
    const began = Date.now();
    expect(await refusal(model.logLikelihood!(["A"], corrected) as Promise<unknown>)).toMatch(
      /did not respond within 1 seconds\n.*secondsPerAnswer/,
    );
    expect(Date.now() - began).toBeLessThan(5000);
  });

  test("to hello is abandoned when the signal aborts", async () => {
    const stop = new AbortController();
    const opened = openStdioModel(adapter({ hello: "undefined" }), stop.signal);
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(opened).rejects.toThrow("enough");
  });

  test("is abandoned when the signal of the request aborts", async () => {
    const model = await silent(HELLO);
    const stop = new AbortController();
    const asked = model.logLikelihood!(["A"], { ...corrected, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("a command that cannot be started", () => {
  test.each([
    ["no-such-program-here adapter.py", /there is no program "no-such-program-here"\n.*without a shell/],
    [`"${import.meta.dirname}"`, /cannot be started: .*EACCES/],
    ["", /the command of the adapter is empty/],
  ])("%s", async (command, message) => {
    expect(await refusal(open(command))).toMatch(message);
  });
});

test("states are requested in parts that fit into a response, and have the declared width", async () => {
  const requests: number[] = [];
  const width = 1e6;
  const states = Buffer.alloc(4 * width).toString("base64");
  const hello = { protocol: 1, name: "wide", answers: ["embeddings"], width };
  const model = await openAdapter(async (greet) => {
    const ask: SendRequest = async (request) => {
      const refused = (why: string) => new InputError(why);
      if (!("sequences" in request)) return { body: hello, refused };
      const { sequences } = request;
      requests.push(sequences.length);
      const embedding = { states, width: sequences[0] === "GG" ? width / 2 : width, starts: [0], ends: [1] };
      return { body: { embeddings: sequences.map(() => embedding) }, refused };
    };
    await greet(ask);
    return { ask, close: async () => {} };
  });
  expect(model.width).toBe(width);
  expect(await model.embed!(["A".repeat(20), "C", "C", "C"], corrected)).toHaveLength(4);
  expect(requests).toEqual([1, 2, 1]);
  await expect(Promise.resolve(model.embed!(["GG"], corrected))).rejects.toThrow(/hello declares 1000000/);
});
