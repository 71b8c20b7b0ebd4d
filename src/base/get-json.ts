import { type TextAnswer, textAnswer } from "./answer-text.ts";
import { fetchPatiently, type Patience } from "./http.ts";

export interface GetOptions {
  readonly patience?: Patience | undefined;
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
): Promise<TextAnswer> {
  const response = await fetchPatiently(
    url,
    { headers: { accept: "application/json" }, ...(signal === undefined ? {} : { signal }) },
    patience,
  );
  return textAnswer(response, url, { largestAnswer, signal });
}
