import { endianness } from "node:os";
import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { firstIssue, isObject, tryParseJson } from "../../base/json.ts";
import type { AlleleLogLikelihoods, SequenceEmbedding } from "../model.ts";

// The protocol between dart-eval and an adapter: docs/adapters.md. A request is a JSON object with an `id`
// and an `ask`, its response a JSON object with the same `id`.

/** Protocol version; raised by changes that break existing adapters. */
export const ADAPTER_PROTOCOL = 1;

/** Requests that an adapter may support, by their names in the protocol. */
const OUTPUTS = ["log-likelihood", "alleles", "embeddings", "activity"] as const;

export type AdapterRequest =
  | { readonly ask: "hello"; readonly protocol: number; readonly client: string }
  | { readonly ask: "log-likelihood" | "embeddings" | "activity"; readonly sequences: readonly string[] }
  | { readonly ask: "alleles"; readonly pairs: readonly (readonly [string, string])[] };

// Printed text: one line, no control characters.
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "expected one line of text");

const helloSchema = z.looseObject({
  protocol: z.literal(ADAPTER_PROTOCOL),
  name: line(200),
  identity: line(10_000).exactOptional(),
  answers: z.array(z.enum(OUTPUTS)).min(1),
  kind: z.enum(["causal", "masked"]).exactOptional(),
  tokens: z.enum(["one-letter", "k-mer", "bpe"]).exactOptional(),
  width: z.int().min(1).max(1e6).exactOptional(),
  batchSize: z.int().min(1).max(1e6).exactOptional(),
  scoreRounding: z.number().min(0).max(1).exactOptional(),
  longestSequence: z.int().min(1).exactOptional(),
  secondsPerAnswer: z.number().min(1).max(86_400).exactOptional(),
});

/** Response to `hello`: an adapter's description of its model. */
export type Hello = z.output<typeof helloSchema>;

/** @throws {InputError} naming the invalid key of the response to `hello` */
export function parseHello(response: AdapterResponse): Hello {
  const parsed = helloSchema.safeParse(response.body);
  if (parsed.success) return parsed.data;
  throw response.refused(firstIssue(parsed.error, "the response"));
}

/** A response, and a function that makes the error for an invalid one, which names the adapter. */
export interface AdapterResponse {
  readonly body: Readonly<Record<string, unknown>>;
  refused(why: string): InputError;
}

/**
 * A JSON object with any content. NaN and Infinity, which Python writes but JSON does not have, are read as
 * null.
 */
export function parseResponse(text: string): Readonly<Record<string, unknown>> | undefined {
  const value =
    tryParseJson(text) ??
    tryParseJson(text.replaceAll(/([[,:]\s*)-?(?:NaN|Infinity)(?=\s*[\],}])/g, "$1null"));
  return isObject(value) ? value : undefined;
}

/**
 * Parses `values`: one number per sequence. Other entries of the list become NaN, which the run reports with
 * their row.
 * @throws {InputError} when it is not a list, or has another length
 */
export function parseValues(response: AdapterResponse, count: number): Float64Array {
  return Float64Array.from(listOf(response, "values", count), numberOrNaN);
}

/** Parses `values`: a pair of numbers per pair of sequences. @throws {InputError} when it is anything else */
export function parseAlleles(response: AdapterResponse, count: number): readonly AlleleLogLikelihoods[] {
  return listOf(response, "values", count).map((pair, i) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw response.refused(`values.${i}: expected a list of two numbers`);
    return { first: numberOrNaN(pair[0]), second: numberOrNaN(pair[1]) };
  });
}

const numberOrNaN = (value: unknown) => (typeof value === "number" ? value : Number.NaN);

function listOf({ body, refused }: AdapterResponse, key: string, count: number): readonly unknown[] {
  const list = body[key];
  if (!Array.isArray(list)) throw refused(`${key}: expected a list`);
  if (list.length !== count) throw refused(`${key}: has ${list.length} entries; expected ${count}`);
  return list;
}

const positions = z.array(z.int().min(0));
const embeddingSchema = z.looseObject({ starts: positions, ends: positions });

/**
 * Parses `embeddings`: token states of each sequence, with the bases that each token covers.
 *
 * @param declared  width in the response to `hello`
 * @throws {InputError} naming the entry whose lengths disagree, or whose tokens overlap or exceed the
 *   sequence
 */
export function parseEmbeddings(
  response: AdapterResponse,
  sequences: readonly string[],
  declared?: number,
): readonly SequenceEmbedding[] {
  return listOf(response, "embeddings", sequences.length).map((entry, i) => {
    const refused = (why: string) => response.refused(`embeddings.${i}.${why}`);
    const parsed = embeddingSchema.safeParse(entry);
    if (!parsed.success) throw refused(firstIssue(parsed.error, ""));
    const { starts, ends, ...rest } = parsed.data;
    const { states, width } = statesOf(rest, refused);
    if (width !== (declared ?? width)) throw refused(`width: is ${width}, but hello declares ${declared}`);
    const tokens = states.length / width;
    if (starts.length !== tokens || ends.length !== tokens) {
      throw refused(`starts: ${starts.length} starts and ${ends.length} ends for ${tokens} tokens`);
    }
    const bases = sequences[i].length;
    let before = 0;
    starts.forEach((start, token) => {
      const end = ends[token];
      if (start === end) return;
      if (start < before || end < start || end > bases) {
        throw refused(
          `starts: token ${token} covers bases ${start} to ${end} of ${bases}, after ${before}; ` +
            "a token without bases, such as a special one, has 0 and 0",
        );
      }
      before = end;
    });
    return { states, tokens, width, starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
  });
}

interface States {
  readonly states: Float32Array;
  readonly width: number;
}

/** Parses `states`: rows of numbers, or little-endian float32 values in base64 together with `width`. */
function statesOf(entry: Readonly<Record<string, unknown>>, refused: (why: string) => InputError): States {
  const { states: given } = entry;
  if (typeof given === "string") {
    const { width } = entry;
    if (typeof width !== "number" || !Number.isSafeInteger(width) || width < 1)
      throw refused("width: expected a whole number, at least 1");
    const bytes = Buffer.from(given, "base64");
    // Buffer.from skips characters that are not base64.
    const whole = Math.floor((3 * given.replace(/={1,2}$/, "").length) / 4) === bytes.length;
    if (bytes.length % (4 * width) !== 0 || given.length % 4 !== 0 || !whole) {
      throw refused(`states: expected base64 of rows of ${width} float32 values, little-endian`);
    }
    return { states: float32Values(bytes), width };
  }
  if (!isRows(given) || given.length === 0) {
    throw refused("states: expected a list of rows, one per token, or base64");
  }
  const width = given[0].length;
  if (width === 0 || given.some((row) => row.length !== width)) {
    throw refused("states: rows of different lengths, or empty ones");
  }
  const states = new Float32Array(given.length * width);
  given.forEach((row, token) => {
    for (let column = 0; column < width; column++) states[token * width + column] = numberOrNaN(row[column]);
  });
  return { states, width };
}

const isRows = (value: unknown): value is readonly (readonly unknown[])[] =>
  Array.isArray(value) && value.every(Array.isArray);

/** Little-endian float32 values. */
function float32Values(bytes: Buffer): Float32Array {
  if (endianness() === "BE") bytes.swap32();
  const states = new Float32Array(bytes.length / 4);
  new Uint8Array(states.buffer).set(bytes);
  return states;
}

export interface RequestLimits {
  /** Limit of one response. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

export type SendRequest = (request: AdapterRequest, limits: RequestLimits) => Promise<AdapterResponse>;

/** An open connection to an adapter. */
export interface Channel {
  /**
   * Sends a request and waits for its response.
   *
   * @throws {AdapterError} with the adapter's own error message
   * @throws {InputError} when the response is late or invalid
   */
  readonly ask: SendRequest;
  close(): Promise<void>;
}

/** Exchange of `hello` when a channel opens, and again after each restart of its adapter. */
export type Handshake = (ask: SendRequest) => Promise<void>;

/** Longest response in bytes: room for the states of a batch of long sequences. */
export const MAX_RESPONSE_BYTES = 2 ** 28;

/** An error that the adapter itself reported. */
export class AdapterError extends InputError {}

const HINT = "docs/adapters.md describes requests and responses";

/** Hint for a response that came too late. */
export const SLOW_ADAPTER = "set secondsPerAnswer or a smaller batchSize in the response to hello";

/** Names of an adapter in messages. */
export interface Responder {
  readonly title: string;
  /** Hint for a response that is not JSON. */
  readonly notJson: string;
}

/**
 * Parses a response.
 *
 * @param id  of the request
 * @throws {AdapterError} with the adapter's own error message
 * @throws {InputError} when it is not a JSON object, or has another id
 */
export function readResponse({ title, notJson }: Responder, id: number, text: string): AdapterResponse {
  const unusable = (why: string, hint: string) =>
    new InputError(`the adapter ${title} sent an invalid response: ${why}`, { hint });
  const refused = (why: string) => unusable(why, HINT);
  const body = parseResponse(text);
  if (body === undefined)
    throw unusable(`${untrustedText(text) || "an empty one"} is not a JSON object`, notJson);
  if (body.error !== undefined) {
    const why = typeof body.error === "string" ? body.error : JSON.stringify(body.error);
    throw new AdapterError(`the adapter ${title} reports: ${untrustedText(why)}`);
  }
  if (body.id !== id)
    throw refused(`its id is ${untrustedText(JSON.stringify(body.id) ?? "absent")}; expected ${id}`);
  return { body, refused };
}

/** Untrusted text for a message: on one line, without control characters, at most 300 characters. */
export function untrustedText(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
}
