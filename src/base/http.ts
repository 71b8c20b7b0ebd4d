import { setTimeout as pause } from "node:timers/promises";
import { errorCode, InputError, reasonOf } from "./errors.ts";
import { quotedText } from "./message-text.ts";

/** Retries with exponential backoff. */
export interface RetryPolicy {
  readonly attempts: number;
  /** Attempts to reach a server that does not respond at all; default: `attempts`. */
  readonly connectionAttempts?: number;
  /** Delay after the first failure; doubles with each further one. */
  readonly initialDelayMs: number;
  /** Time limit of one attempt, including the body. A timeout is not retried. Default: none. */
  readonly timeoutMs?: number;
}

export const DEFAULT_RETRIES: RetryPolicy = { attempts: 6, initialDelayMs: 1000 };

const MAX_DELAY_MS = 120_000;
/** Status codes worth a retry. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A request without a response, or with an incomplete one. */
export class ConnectionError extends InputError {}

/**
 * `fetch` with retries after connection failures and transient status codes; honours Retry-After. Redirects
 * are followed, but an Authorization header is not sent to another host.
 *
 * @returns the first response that is not transient, including error statuses such as 404; after the last
 *   attempt any
 * @throws {ConnectionError} when no attempt reaches the server, or one times out
 */
export async function fetchWithRetries(
  url: string | URL,
  init: RequestInit = {},
  { attempts, connectionAttempts = attempts, initialDelayMs, timeoutMs }: RetryPolicy = DEFAULT_RETRIES,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let wait = initialDelayMs * 2 ** (attempt - 1);
    try {
      const response = await fetch(url, timeoutMs === undefined ? init : withLimit(init, timeoutMs));
      if (!TRANSIENT.has(response.status) || attempt >= attempts) return response;
      await response.body?.cancel();
      wait = retryAfterMs(response.headers.get("retry-after")) ?? wait;
    } catch (error) {
      init.signal?.throwIfAborted();
      if (attempt >= connectionAttempts || isPermanent(error)) throw connectionError(url, error);
    }
    await retryPause(wait, init.signal ?? undefined);
  }
}

function withLimit(init: RequestInit, ms: number): RequestInit {
  const limit = AbortSignal.timeout(ms);
  return { ...init, signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit };
}

/** Waits, or throws the signal's reason when it aborts. */
export async function retryPause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await pause(Math.min(ms, MAX_DELAY_MS), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Describes the cause of a failed `fetch` (whose own message is only "fetch failed") and names the host. */
export function connectionError(url: string | URL, error: unknown): ConnectionError {
  const { host } = new URL(url);
  const { code, message } = causeOf(error);
  const reason = isTimeout(error) ? "the request timed out" : (CONNECTION_ERRORS[code] ?? (message || code));
  const viaProxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  const hint =
    viaProxy === undefined
      ? "check the network connection; files fetched on another machine can be given by path"
      : "to use HTTPS_PROXY, run Node 24 or newer with NODE_USE_ENV_PROXY=1";
  return new ConnectionError(`${host} cannot be reached: ${reason}`, { hint, cause: error });
}

const CONNECTION_ERRORS: Readonly<Record<string, string>> = {
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "the host name cannot be resolved",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was lost",
  UND_ERR_SOCKET: "the connection was lost",
  UND_ERR_CONNECT_TIMEOUT: "the request timed out",
  UND_ERR_HEADERS_TIMEOUT: "the request timed out",
  UND_ERR_BODY_TIMEOUT: "the server stopped sending",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** Errors that a retry cannot fix. */
const isPermanent = (error: unknown) =>
  isTimeout(error) || /^ENOTFOUND$|^CERT_|^ERR_TLS|^UNABLE_TO|_SIGNED_CERT/.test(causeOf(error).code);

const isTimeout = (error: unknown) => error instanceof Error && error.name === "TimeoutError";

function causeOf(error: unknown): { code: string; message: string } {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  // IPv6 and IPv4 both failed: the first error suffices.
  if (inner instanceof AggregateError) inner = inner.errors[0];
  return { code: errorCode(inner), message: reasonOf(inner) };
}

/** Milliseconds of a Retry-After header, which gives seconds or a date. */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

export interface GetOptions {
  /** Headers in addition to `accept`, or replacing it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly retries?: RetryPolicy | undefined;
  /** Maximum size of the response body. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Requests JSON with retries as `fetchWithRetries` and reads the whole response.
 *
 * @returns the response, including error statuses such as 404
 * @throws {ConnectionError} when no attempt reaches the server, or the response is incomplete
 * @throws {InputError} when the response exceeds `maxBytes` or is not UTF-8
 */
export async function getJson(
  url: URL,
  { headers, retries, maxBytes, signal }: GetOptions,
): Promise<TextResponse> {
  const response = await fetchWithRetries(
    url,
    { headers: { accept: "application/json", ...headers }, ...(signal === undefined ? {} : { signal }) },
    retries,
  );
  return readTextResponse(response, url, { maxBytes, signal });
}

export interface PostOptions {
  readonly retries: RetryPolicy;
  /** Maximum size of the response body. */
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Posts JSON with retries as `fetchWithRetries` and reads the whole response. Redirects are refused, because
 * the request would lose its body.
 *
 * @returns the response, including error statuses such as 404
 * @throws {ConnectionError} when no attempt reaches the server, one times out, or the response is incomplete
 * @throws {InputError} when the response is a redirect, exceeds `maxBytes` or is not UTF-8
 */
export async function postJson(
  url: URL,
  body: string,
  { retries, maxBytes, headers, signal }: PostOptions,
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
    retries,
  );
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    throw new InputError(`${url.host} redirects to ${response.headers.get("location")}`, {
      hint: "use that address",
    });
  }
  return readTextResponse(response, url, { maxBytes, signal });
}

export interface TextResponse {
  readonly status: number;
  readonly text: string;
}

/**
 * The body of a response as text; stops reading beyond `maxBytes`.
 *
 * @throws {ConnectionError} when the body is incomplete
 * @throws {InputError} when it exceeds `maxBytes` or is not UTF-8
 */
async function readTextResponse(
  response: Response,
  url: URL,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal?: AbortSignal | undefined },
): Promise<TextResponse> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > maxBytes) break;
      pieces.push(piece);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionError(url, error);
  }
  if (bytes > maxBytes) {
    throw new InputError(`the response of ${url.host} exceeds ${maxBytes} bytes`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
    return { status: response.status, text };
  } catch (cause) {
    throw new InputError(`the response of ${url.host} is not UTF-8 text`, { cause });
  }
}

/**
 * Checks that a setting is an http or https address.
 * @param setting  name of the setting, such as "HF_ENDPOINT"
 * @throws {InputError} naming the setting
 */
export function checkWebAddress(address: string, setting: string): void {
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return;
  throw new InputError(`${setting} is ${quotedText(address)}, which is not a valid address`, {
    hint: "an address starts with https:// or http://",
  });
}
