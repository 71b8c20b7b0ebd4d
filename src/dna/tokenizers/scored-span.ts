import { InputError } from "../../base/errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Tokens [start, end) of a row. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The tokens whose likelihood counts: those between the special tokens that the tokenizer adds. Special tokens and
 * the padding on the right are outside.
 *
 * DART-Eval finds them in the ids: after [CLS] up to [SEP] (DNABERT-2, GENA-LM, Mistral-DNA), from 0 up to [SEP]
 * (Caduceus, HyenaDNA), after `<cls>` up to the number of attended tokens (Nucleotide Transformer).
 *
 * @param ids       one row of a batch, padded on the right or not at all
 * @param attended  how many tokens of the row are not padding; only read where nothing marks the end
 * @throws {InputError} when a token that marks an end is not there exactly once
 */
export function scoredSpan(
  { name, before, after }: Pick<Tokenizer, "name" | "before" | "after">,
  ids: ArrayLike<number>,
  attended: number = ids.length,
): TokenSpan {
  const first = before.at(-1);
  const last = after[0];
  return {
    start: first === undefined ? 0 : placeOf(first, ids, name) + 1,
    end: last === undefined ? attended : placeOf(last, ids, name),
  };
}

function placeOf(id: number, ids: ArrayLike<number>, name: string): number {
  let place = -1;
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== id) continue;
    place = i;
    count++;
  }
  if (count === 1) return place;
  throw new InputError(`a row of ${name} tokens has the special id ${id} ${count} times; once was expected`);
}
