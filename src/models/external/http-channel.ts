import { InputError } from "../../base/errors.ts";
import { DEFAULT_RETRIES, postJson, type RetryPolicy } from "../../base/http.ts";
import {
  type Channel,
  type Handshake,
  LONGEST_RESPONSE,
  parseResponse,
  readResponse,
  type SendRequest,
  untrustedText,
} from "./adapter-protocol.ts";

/** Node gives up an answer that has not begun after five minutes. */
const MOST_SECONDS = 290;

const NOT_ADAPTER = "is this the address of an adapter? docs/adapters.md says what one answers";

/**
 * An adapter behind an address: each question is posted as JSON, its answer is the body. A server that is busy or not reached
 * is asked again after a pause, as its Retry-After asks.
 *
 * @throws {InputError} when the address is none, cannot be reached, or does not return the greeting
 */
export async function openHttpChannel(
  address: string,
  greet: Handshake,
  { attempts, initialDelayMs }: Pick<RetryPolicy, "attempts" | "initialDelayMs"> = DEFAULT_RETRIES,
): Promise<Channel> {
  const url = addressOf(address);
  let lastId = 0;
  const ask: SendRequest = async (question, { seconds, signal }) => {
    const id = ++lastId;
    if (seconds > MOST_SECONDS) {
      throw new InputError(`the adapter ${address} asks for ${seconds} seconds for an answer`, {
        hint: `over HTTP there are at most ${MOST_SECONDS}; say a smaller batchSize when greeted`,
      });
    }
    const { status, text } = await postJson(url, JSON.stringify({ id, ...question }), {
      retries: { attempts, initialDelayMs, timeoutMs: seconds * 1000 },
      maxBytes: LONGEST_RESPONSE,
      signal,
    });
    // A refusal may come with any status; anything else only with success.
    if ((status >= 200 && status < 300) || parseResponse(text)?.error !== undefined) {
      return readResponse({ title: address, notJson: NOT_ADAPTER }, id, text);
    }
    throw new InputError(`the adapter ${address} answered with status ${status}: ${untrustedText(text)}`, {
      hint: NOT_ADAPTER,
    });
  };
  await greet(ask);
  return { ask, async close() {} };
}

function addressOf(address: string): URL {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new InputError(`${JSON.stringify(address)} is no address`, { hint: "write http://host:port/path" });
  }
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") {
    throw new InputError("an address with a name and a password in it is not used", {
      hint: "it would be seen in lists of processes and in messages; let a proxy on this machine add them",
    });
  }
  return url;
}
