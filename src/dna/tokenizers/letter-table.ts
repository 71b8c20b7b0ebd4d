import { InputError } from "../../base/errors.ts";
import { requireAscii } from "./ascii.ts";
import type { SpecialTokens } from "./special-tokens.ts";
import type { Tokenizer, Tokens } from "./tokenizer.ts";

/** A vocabulary in which every letter is a token. */
export interface LetterTable {
  readonly name: string;
  /** Ids of single characters; where `special` has `unk`, other characters have that id. */
  readonly idOf: (character: string) => number | undefined;
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly token: (id: number) => string | undefined;
}

/**
 * One token for each letter, between those that every sequence has before and after.
 *
 * `encode` throws an `InputError` for a character that has no id where there is none for unknown ones.
 */
export function letterTokenizer({ idOf, ...table }: LetterTable): Tokenizer {
  const { name, special, before, after } = table;
  const ids = Int32Array.from(
    { length: 128 },
    (_, code) => idOf(String.fromCharCode(code)) ?? special.unk ?? -1,
  );
  const ends = before.length + after.length;

  function encode(letters: string): Tokens {
    requireAscii(letters);
    const n = letters.length;
    const length = n + ends;
    const tokens = {
      ids: new Int32Array(length),
      starts: new Int32Array(length),
      ends: new Int32Array(length),
    };
    tokens.ids.set(before);
    for (let i = 0, at = before.length; i < n; i++, at++) {
      const id = ids[letters.charCodeAt(i)]!;
      if (id < 0) {
        throw new InputError(
          `letter ${JSON.stringify(letters[i])} at position ${i} is not in the vocabulary of ${name}`,
        );
      }
      tokens.ids[at] = id;
      tokens.starts[at] = i;
      tokens.ends[at] = i + 1;
    }
    tokens.ids.set(after, before.length + n);
    return tokens;
  }

  return { kind: "one-letter", encode, ...table };
}
