import { type TextAnswer, textAnswer } from "./answer-text.ts";
import { InputError } from "./errors.ts";
import { fetchPatiently, type Patience } from "./http.ts";

export interface PostOptions {
  readonly patience: Patience;
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
): Promise<TextAnswer> {
  const response = await fetchPatiently(
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
  return textAnswer(response, url, { largestAnswer, signal });
}
