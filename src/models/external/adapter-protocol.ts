import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { firstIssue, tryParseJson } from "../../base/json.ts";
import type { AlleleLogLikelihoods, SequenceEmbedding } from "../model.ts";

// What is said between dart-eval and an adapter: docs/adapters.md. Every question is a JSON object with an `id` and what it
// asks; its answer is one with the same `id`.

/** Raised when old adapters would no longer be understood. */
export const ADAPTER_PROTOCOL = 1;

/** What an adapter may answer, by the names that are used in messages. */
const OUTPUTS = ["log-likelihood", "alleles", "embeddings", "activity"] as const;

export type AdapterRequest =
  | { readonly ask: "hello"; readonly protocol: number; readonly client: string }
  | { readonly ask: "log-likelihood" | "embeddings" | "activity"; readonly sequences: readonly string[] }
  | { readonly ask: "alleles"; readonly pairs: readonly (readonly [string, string])[] };

// Text that is printed: no control characters.
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
  batchSize: z.int().min(1).max(1e6).exactOptional(),
  scoreRounding: z.number().min(0).max(1).exactOptional(),
  longestSequence: z.int().min(1).exactOptional(),
  secondsPerAnswer: z.number().min(1).max(86_400).exactOptional(),
});

/** What an adapter says of its model when it is greeted. */
export type Hello = z.output<typeof helloSchema>;

/** @throws {InputError} naming what of the greeting's answer is not as it should be */
export function parseHello(answer: AdapterResponse): Hello {
  const parsed = helloSchema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  throw answer.refused(firstIssue(parsed.error, "the answer"));
}

/** An answer as it came, and how to refuse it: the error names who gave it. */
export interface AdapterResponse {
  readonly body: Readonly<Record<string, unknown>>;
  refused(why: string): InputError;
}

/**
 * A JSON object, whatever is in it. Python writes NaN and Infinity, which JSON does not have: they are read as null, and
 * whoever needs the number says which one it was.
 */
export function parseResponse(text: string): Readonly<Record<string, unknown>> | undefined {
  const value =
    tryParseJson(text) ??
    tryParseJson(text.replaceAll(/([[,:]\s*)-?(?:NaN|Infinity)(?=\s*[\],}])/g, "$1null"));
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/**
 * `values`: a number per sequence. What is no number becomes NaN, to be refused where the row is known.
 * @throws {InputError} when it is no list, or of another length
 */
export function parseValues(answer: AdapterResponse, count: number): Float64Array {
  return Float64Array.from(listOf(answer, "values", count), numberOrNaN);
}

/** `values`: a pair of numbers per pair of sequences. @throws {InputError} when it is anything else */
export function parseAlleles(answer: AdapterResponse, count: number): readonly AlleleLogLikelihoods[] {
  return listOf(answer, "values", count).map((pair, i) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw answer.refused(`values.${i}: expected a list of two numbers`);
    return { first: numberOrNaN(pair[0]), second: numberOrNaN(pair[1]) };
  });
}

const numberOrNaN = (value: unknown) => (typeof value === "number" ? value : Number.NaN);

function listOf({ body, refused }: AdapterResponse, key: string, count: number): readonly unknown[] {
  const list = body[key];
  if (!Array.isArray(list)) throw refused(`${key}: expected a list`);
  if (list.length !== count) throw refused(`${key}: has ${list.length} entries; ${count} were asked for`);
  return list;
}

const places = z.array(z.int().min(0));
const embeddingSchema = z.looseObject({ starts: places, ends: places });

/**
 * `embeddings`: for each sequence its token states, with the letters that each token stands for.
 *
 * @throws {InputError} naming the entry when its parts do not fit together, or a token stands for letters that the sequence
 *   does not have
 */
export function parseEmbeddings(
  answer: AdapterResponse,
  sequences: readonly string[],
): readonly SequenceEmbedding[] {
  return listOf(answer, "embeddings", sequences.length).map((entry, i) => {
    const refused = (why: string) => answer.refused(`embeddings.${i}.${why}`);
    const parsed = embeddingSchema.safeParse(entry);
    if (!parsed.success) throw refused(firstIssue(parsed.error, ""));
    const { starts, ends, ...rest } = parsed.data;
    const { states, width } = statesOf(rest, refused);
    const tokens = states.length / width;
    if (starts.length !== tokens || ends.length !== tokens) {
      throw refused(`starts: ${starts.length} starts and ${ends.length} ends for ${tokens} tokens`);
    }
    const letters = sequences[i].length;
    let before = 0;
    starts.forEach((start, token) => {
      const end = ends[token];
      if (start === end) return;
      if (start < before || end < start || end > letters) {
        throw refused(
          `starts: token ${token} stands for letters ${start} to ${end} of ${letters}, after ${before}; ` +
            "a token that stands for none, as special ones do, has 0 and 0",
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

/** Rows of numbers, or the bytes of float32 values in base64 with their `width`. */
function statesOf(entry: Readonly<Record<string, unknown>>, refused: (why: string) => InputError): States {
  const { states: given } = entry;
  if (typeof given === "string") {
    const { width } = entry;
    if (!Number.isSafeInteger(width) || (width as number) < 1)
      throw refused("width: expected a whole number, at least 1");
    const bytes = Buffer.from(given, "base64");
    if (bytes.length % (4 * (width as number)) !== 0 || bytes.toString("base64") !== given) {
      throw refused(`states: expected base64 of rows of ${width} float32 values, little-endian`);
    }
    const states = new Float32Array(bytes.length / 4);
    for (let k = 0; k < states.length; k++) states[k] = bytes.readFloatLE(4 * k);
    return { states, width: width as number };
  }
  if (!Array.isArray(given) || given.length === 0 || !given.every(Array.isArray)) {
    throw refused("states: expected a list of rows, one per token, or base64");
  }
  const width = (given[0] as unknown[]).length;
  if (width === 0 || given.some((row) => row.length !== width)) {
    throw refused("states: rows of different lengths, or empty ones");
  }
  const states = new Float32Array(given.length * width);
  given.forEach((row: unknown[], token) => {
    for (let column = 0; column < width; column++) states[token * width + column] = numberOrNaN(row[column]);
  });
  return { states, width };
}

export interface RequestLimits {
  /** How long the answer may take. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

export type SendRequest = (question: AdapterRequest, limits: RequestLimits) => Promise<AdapterResponse>;

/** A way to an adapter: questions there, answers back. */
export interface Channel {
  /**
   * @throws {AdapterError} with what the adapter says of why it does not answer
   * @throws {InputError} when there is no answer in time, or what comes is none
   */
  readonly ask: SendRequest;
  close(): Promise<void>;
}

/** Called once a channel is open, and again each time the adapter behind it was started anew. */
export type Handshake = (ask: SendRequest) => Promise<void>;

/** Longest answer, in bytes: the states of a batch of long sequences have room in it. */
export const LONGEST_RESPONSE = 2 ** 28;

/** The adapter understood the question and says why it does not answer it. */
export class AdapterError extends InputError {}

const HINT = "docs/adapters.md says what is asked, and what an answer holds";

/** Who answers. */
export interface Responder {
  /** What the adapter is called in messages. */
  readonly title: string;
  /** What to do where something else than JSON came. */
  readonly notJson: string;
}

/** @param id  of the question */
export function readResponse({ title, notJson }: Responder, id: number, text: string): AdapterResponse {
  const unusable = (why: string, hint: string) =>
    new InputError(`the adapter ${title} gave an answer that cannot be used: ${why}`, { hint });
  const refused = (why: string) => unusable(why, HINT);
  const body = parseResponse(text);
  if (body === undefined)
    throw unusable(`${untrustedText(text) || "an empty one"} is no JSON object`, notJson);
  if (body.error !== undefined) {
    const why = typeof body.error === "string" ? body.error : JSON.stringify(body.error);
    throw new AdapterError(`the adapter ${title} says: ${untrustedText(why)}`);
  }
  if (body.id !== id)
    throw refused(`its id is ${untrustedText(JSON.stringify(body.id) ?? "absent")}; expected ${id}`);
  return { body, refused };
}

/** A stranger's text in a message of ours: short, and without what moves a cursor. */
export function untrustedText(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
}
