import { InputError } from "./errors.ts";
import { connectionError } from "./http.ts";

export interface TextAnswer {
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
export async function textAnswer(
  response: Response,
  url: URL,
  { largestAnswer, signal }: { readonly largestAnswer: number; readonly signal?: AbortSignal | undefined },
): Promise<TextAnswer> {
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
