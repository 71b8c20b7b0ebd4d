import { setTimeout as pause } from "node:timers/promises";
import { errorCode, InputError } from "./errors.ts";
import { quotedText } from "./message-text.ts";

/** How often a request is tried, and how long to wait after the first failure; the wait doubles each time. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly firstPauseMs: number;
  /** How long one attempt may take, the reading of its answer included; it is not tried again. Default: no limit of ours. */
  readonly attemptMs?: number;
}

export const DEFAULT_RETRIES: RetryPolicy = { attempts: 6, firstPauseMs: 1000 };

const LONGEST_PAUSE_MS = 120_000;
/** "Come back later" in its several forms. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A request that never got an answer, or whose answer broke off. */
export class ConnectionError extends InputError {}

/**
 * `fetch`, tried again after a pause when the connection fails or the server is busy, as its Retry-After asks.
 * Redirects are followed; an Authorization header does not go along to another host.
 *
 * @returns any answer that is not "come back later", so also 404; after the last attempt even that
 * @throws {ConnectionError} when no attempt reached the server, or one took too long
 */
export async function fetchWithRetries(
  url: string | URL,
  init: RequestInit = {},
  { attempts, firstPauseMs, attemptMs }: RetryPolicy = DEFAULT_RETRIES,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let wait = firstPauseMs * 2 ** (attempt - 1);
    try {
      const response = await fetch(url, attemptMs === undefined ? init : withLimit(init, attemptMs));
      if (!TRANSIENT.has(response.status) || attempt >= attempts) return response;
      await response.body?.cancel();
      wait = retryAfterMs(response.headers.get("retry-after")) ?? wait;
    } catch (error) {
      init.signal?.throwIfAborted();
      if (attempt >= attempts || isHopeless(error)) throw connectionError(url, error);
    }
    await retryPause(wait, init.signal ?? undefined);
  }
}

function withLimit(init: RequestInit, ms: number): RequestInit {
  const limit = AbortSignal.timeout(ms);
  return { ...init, signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit };
}

/** Waits, or throws the signal's reason as soon as it is aborted. */
export async function retryPause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await pause(Math.min(ms, LONGEST_PAUSE_MS), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** What went wrong below `fetch`, which only says "fetch failed", as a sentence that names the host. */
export function connectionError(url: string | URL, error: unknown): ConnectionError {
  const { host } = new URL(url);
  const { code, message } = causeOf(error);
  const saying = isLate(error) ? "it did not answer in time" : (CONNECTION_ERRORS[code] ?? (message || code));
  const viaProxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  const hint =
    viaProxy === undefined
      ? "is there a network here? Files that were fetched on another machine can be given by their path"
      : "Node uses HTTPS_PROXY from version 24 on, with NODE_USE_ENV_PROXY=1";
  return new ConnectionError(`${host} cannot be reached: ${saying}`, { hint, cause: error });
}

const CONNECTION_ERRORS: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host is known",
  EAI_AGAIN: "the name of the host cannot be looked up",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_CONNECT_TIMEOUT: "it did not answer in time",
  UND_ERR_HEADERS_TIMEOUT: "it did not answer in time",
  UND_ERR_BODY_TIMEOUT: "it stopped sending",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** Trying again would not help. */
const isHopeless = (error: unknown) =>
  isLate(error) || /^ENOTFOUND$|^CERT_|^ERR_TLS|^UNABLE_TO|_SIGNED_CERT/.test(causeOf(error).code);

const isLate = (error: unknown) => error instanceof Error && error.name === "TimeoutError";

function causeOf(error: unknown): { code: string; message: string } {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  // Both addresses of a host were tried: the first says as much as the second.
  if (inner instanceof AggregateError) inner = inner.errors[0];
  return { code: errorCode(inner), message: inner instanceof Error ? inner.message : String(inner) };
}

/** Seconds, or a date. */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

export interface GetOptions {
  readonly patience?: RetryPolicy | undefined;
  /** Most bytes of an answer; a longer one is refused as soon as that is seen. */
  readonly largestAnswer: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks for JSON and reads the answer whole. A server that is busy or not reached is asked again after a pause; redirects
 * are followed.
 *
 * @returns any answer that is not "come back later", so also 404; after the last attempt even that
 * @throws {ConnectionError} when no attempt reached the server, or its answer broke off
 * @throws {InputError} when the answer is longer than allowed or no UTF-8 text
 */
export async function getJson(
  url: URL,
  { patience, largestAnswer, signal }: GetOptions,
): Promise<TextResponse> {
  const response = await fetchWithRetries(
    url,
    { headers: { accept: "application/json" }, ...(signal === undefined ? {} : { signal }) },
    patience,
  );
  return readTextResponse(response, url, { largestAnswer, signal });
}

export interface PostOptions {
  readonly patience: RetryPolicy;
  /** Most bytes of an answer; a longer one is refused as soon as that is seen. */
  readonly largestAnswer: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Posts JSON and reads the answer whole. A server that is busy (408, 425, 429, 5xx) or not reached is asked again after a
 * pause; redirects are not followed, since a question would lose its body on the way.
 *
 * @returns any answer that is not "come back later", so also 404; after the last attempt even that
 * @throws {ConnectionError} when no attempt reached the server, one took too long, or its answer broke off
 * @throws {InputError} when the answer is longer than allowed or no UTF-8 text, or the server sends elsewhere
 */
export async function postJson(
  url: URL,
  body: string,
  { patience, largestAnswer, headers, signal }: PostOptions,
): Promise<TextResponse> {
  const response = await fetchWithRetries(
    url,
    {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/json" },
      body,
      redirect: "manual",
      ...(signal === undefined ? {} : { signal }),
    },
    patience,
  );
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    throw new InputError(`${url.host} answers from elsewhere: ${response.headers.get("location")}`, {
      hint: "give that address",
    });
  }
  return readTextResponse(response, url, { largestAnswer, signal });
}

export interface TextResponse {
  readonly status: number;
  readonly text: string;
}

/**
 * The body of an answer as text.
 *
 * @param largestAnswer  bytes; a longer answer is refused as soon as that is seen
 * @throws {ConnectionError} when it breaks off
 * @throws {InputError} when it is longer than allowed or no UTF-8 text
 */
async function readTextResponse(
  response: Response,
  url: URL,
  { largestAnswer, signal }: { readonly largestAnswer: number; readonly signal?: AbortSignal | undefined },
): Promise<TextResponse> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > largestAnswer) break;
      pieces.push(piece);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionError(url, error);
  }
  if (bytes > largestAnswer) {
    throw new InputError(`the answer of ${url.host} is longer than ${largestAnswer} bytes`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
    return { status: response.status, text };
  } catch (cause) {
    throw new InputError(`the answer of ${url.host} is not UTF-8 text`, { cause });
  }
}

/**
 * Checks an address that a user may set.
 * @param setting  its name, for the message: "HF_ENDPOINT"
 * @throws {InputError} naming the setting
 */
export function expectWebAddress(address: string, setting: string): void {
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return;
  throw new InputError(`${setting} is ${quotedText(address)}, which is no address`, {
    hint: "an address begins with https:// or http://",
  });
}
