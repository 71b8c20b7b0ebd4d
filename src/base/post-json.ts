import { InputError } from "./errors.ts";
import { connectionError, fetchPatiently, type Patience } from "./http.ts";

export interface PostOptions {
  readonly patience: Patience;
  /** Most bytes of an answer; a longer one is refused as soon as that is seen. */
  readonly largestAnswer: number;
  readonly signal?: AbortSignal | undefined;
}

export interface PostAnswer {
  readonly status: number;
  readonly text: string;
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
  { patience, largestAnswer, signal }: PostOptions,
): Promise<PostAnswer> {
  const response = await fetchPatiently(
    url,
    {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
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
    return { status, text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces)) };
  } catch (cause) {
    throw new InputError(`the answer of ${url.host} is not UTF-8 text`, { cause });
  }
}
