import { setTimeout as pause } from "node:timers/promises";
import { InputError } from "./errors.ts";

/** How often a request is tried, and how long to wait after the first failure; the wait doubles each time. */
export interface Patience {
  readonly attempts: number;
  readonly firstPauseMs: number;
  /** How long one attempt may take, the reading of its answer included; it is not tried again. Default: no limit of ours. */
  readonly attemptMs?: number;
}

export const PATIENCE: Patience = { attempts: 6, firstPauseMs: 1000 };

const LONGEST_PAUSE_MS = 120_000;
/** "Come back later" in its several forms. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A request that never got an answer, or whose answer broke off. */
export class ConnectionError extends InputError {}

/**
 * `fetch`, tried again after a pause when the connection fails or the server is busy, as its Retry-After asks.
 * Redirects are followed; an Authorization header does not go along to another host.
 *
 * @returns any answer that is not "come back later", so also 404; after the last attempt even that
 * @throws {ConnectionError} when no attempt reached the server, or one took too long
 */
export async function fetchPatiently(
  url: string | URL,
  init: RequestInit = {},
  { attempts, firstPauseMs, attemptMs }: Patience = PATIENCE,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let wait = firstPauseMs * 2 ** (attempt - 1);
    try {
      const response = await fetch(url, attemptMs === undefined ? init : withLimit(init, attemptMs));
      if (!PASSING.has(response.status) || attempt >= attempts) return response;
      await response.body?.cancel();
      wait = retryAfterMs(response.headers.get("retry-after")) ?? wait;
    } catch (error) {
      init.signal?.throwIfAborted();
      if (attempt >= attempts || isHopeless(error)) throw connectionError(url, error);
    }
    await patientPause(wait, init.signal ?? undefined);
  }
}

function withLimit(init: RequestInit, ms: number): RequestInit {
  const limit = AbortSignal.timeout(ms);
  return { ...init, signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit };
}

/** Waits, or throws the signal's reason as soon as it is aborted. */
export async function patientPause(ms: number, signal?: AbortSignal): Promise<void> {
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
  const saying = isLate(error) ? "it did not answer in time" : (SAYINGS[code] ?? (message || code));
  const viaProxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  const hint =
    viaProxy === undefined
      ? "is there a network here? Files that were fetched on another machine can be given by their path"
      : "Node uses HTTPS_PROXY from version 24 on, with NODE_USE_ENV_PROXY=1";
  return new ConnectionError(`${host} cannot be reached: ${saying}`, { hint, cause: error });
}

const SAYINGS: Readonly<Record<string, string>> = {
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
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : "";
  return { code, message: inner instanceof Error ? inner.message : String(inner) };
}

/** Seconds, or a date. */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
