import { InputError } from "../../base/errors.ts";
import { ConnectionError, DEFAULT_RETRIES, postJson, type RetryPolicy } from "../../base/http.ts";
import {
  type Channel,
  type Handshake,
  MAX_RESPONSE_BYTES,
  parseResponse,
  type RequestLimits,
  readResponse,
  type SendRequest,
  SLOW_ADAPTER,
  untrustedText,
} from "./adapter-protocol.ts";

/** Attempts to reach an adapter at first, so that a mistyped address is reported at once. */
const FIRST_CONNECTIONS = 2;
/** Limit of one response in seconds. Node's `fetch` gives up after five minutes without a header. */
const MAX_SECONDS = 290;

const NOT_ADAPTER = "is this the address of an adapter? docs/adapters.md describes the protocol";

/**
 * Connects to an adapter over HTTP: each request is posted as JSON, the response is the body. Requests to a
 * server that is busy or no longer reached are retried after a pause, or after its Retry-After. The first
 * request has two attempts to reach the server.
 *
 * @throws {InputError} when the address is not valid or cannot be reached, or the handshake fails
 */
export async function openHttpChannel(
  address: string,
  greet: Handshake,
  { attempts, initialDelayMs }: Pick<RetryPolicy, "attempts" | "initialDelayMs"> = DEFAULT_RETRIES,
): Promise<Channel> {
  const url = addressOf(address);
  let lastId = 0;
  let isReached = false;
  const ask: SendRequest = async (request, limits) => {
    const id = ++lastId;
    const { seconds, signal } = limits;
    if (seconds > MAX_SECONDS) {
      throw new InputError(`the adapter ${address} sets secondsPerAnswer to ${seconds}`, {
        hint: `the limit over HTTP is ${MAX_SECONDS}; set a smaller batchSize in the response to hello`,
      });
    }
    const { status, text } = await postJson(url, JSON.stringify({ id, ...request }), {
      retries: {
        attempts,
        connectionAttempts: isReached ? attempts : Math.min(FIRST_CONNECTIONS, attempts),
        initialDelayMs,
        timeoutMs: seconds * 1000,
      },
      maxBytes: MAX_RESPONSE_BYTES,
      signal,
    }).catch((error: unknown) => {
      throw error instanceof ConnectionError ? connectionFailure(address, limits, error) : error;
    });
    isReached = true;
    // An adapter's own error may come with any status, other responses only with success.
    if ((status >= 200 && status < 300) || parseResponse(text)?.error !== undefined) {
      return readResponse({ title: address, notJson: NOT_ADAPTER }, id, text);
    }
    throw new InputError(`the adapter ${address} responded with status ${status}: ${untrustedText(text)}`, {
      hint: NOT_ADAPTER,
    });
  };
  await greet(ask);
  return { ask, async close() {} };
}

/** The error of a request without a response, with advice for an adapter instead of a download. */
function connectionFailure(address: string, { seconds }: RequestLimits, cause: ConnectionError): InputError {
  const late = cause.cause instanceof Error && cause.cause.name === "TimeoutError";
  return late
    ? new InputError(`the adapter ${address} did not respond within ${seconds} seconds`, {
        hint: SLOW_ADAPTER,
        cause,
      })
    : new InputError(cause.message, { hint: `is the adapter running at ${address}?`, cause });
}

function addressOf(address: string): URL {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new InputError(`${JSON.stringify(address)} is not an address`, {
      hint: "write http://host:port/path",
    });
  }
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") {
    throw new InputError("the adapter's address contains a user name and password", {
      hint: "process lists and messages would show them; add them in a proxy on this machine",
    });
  }
  return url;
}
