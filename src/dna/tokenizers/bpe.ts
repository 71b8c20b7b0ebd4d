import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { InputError, InternalError } from "../../base/errors.ts";
import { DnaBpe } from "./dna-bpe.ts";
import { letterTokenizer } from "./one-letter.ts";
import { piecesOf, type Word } from "./text-words.ts";
import { requireAscii, type SpecialTokens, type Tokenizer, type Tokens } from "./tokenizer.ts";
import type { BpeDescription } from "./tokenizer-json.ts";

/**
 * A byte-pair tokenizer, such as those of DNABERT-2, GENA-LM and Mistral-DNA, or any other that
 * `parseTokenizerJson` accepts.
 *
 * Words of A, C, G and T are encoded by `DnaBpe`, about thirty times as fast as `@huggingface/tokenizers`,
 * which encodes all others. Both give the same tokens (test/dna/tokenizers/bpe.test.ts). Spans equal the
 * offsets of Hugging Face's fast tokenizers. A vocabulary without merges, as of GPN and PlantCaduceus, has
 * one token per base.
 *
 * @throws {InputError} (from `encode`) when a character is not in the vocabulary and there is no unknown
 *   token
 */
export function bpeTokenizer(name: string, description: BpeDescription, special: SpecialTokens): Tokenizer {
  const { vocabulary, merges, unknown, before, after } = description;
  const textOf = new Map<number, string>();
  for (const [text, id] of vocabulary) textOf.set(id, text);
  const fast = DnaBpe.of(vocabulary, merges);
  const plain = isPlain(description);
  const lowerCase = description.normalizing.some(({ kind }) => kind === "lower-case");

  let library: LibraryModel | undefined;
  const merged = (word: string): readonly string[] => {
    library ??= libraryModel(description);
    return library.bpe(word);
  };

  function add(row: Row, word: Word) {
    const push = (id: number, from: number, to: number) => {
      row.ids.push(id);
      row.starts.push(word.starts[from]);
      row.ends.push(word.ends[to - 1]);
    };
    let from = 0;
    if (fast !== undefined) {
      const count = fast.encode(word.text);
      for (let i = 0; i < count; i++) {
        push(fast.ids[i], from, fast.ends[i]);
        from = fast.ends[i];
      }
      if (count >= 0) return;
    }
    for (const text of merged(word.text)) {
      const id = vocabulary.get(text) ?? unknown;
      if (id === undefined) {
        const at = word.starts[from];
        throw new InputError(
          `${name} has no token for ${JSON.stringify(text)} at position ${at}, and no unknown token`,
        );
      }
      push(id, from, from + text.length);
      from += text.length;
    }
    if (from !== word.text.length)
      throw new InternalError(`the tokens of ${JSON.stringify(word.text)} do not spell it`);
  }

  function encode(sequence: string): Tokens {
    if (letters !== undefined && /^[A-Za-z]*$/.test(sequence)) return letters.encode(sequence);
    if (plain && fast !== undefined) {
      const count = fast.encode(sequence);
      if (count >= 0) return plainTokens(fast, count, description);
    }
    requireAscii(sequence);
    const row: Row = { ids: [], starts: [], ends: [] };
    for (const piece of piecesOf(sequence, description)) {
      if (piece.kind === "word") add(row, piece);
      else {
        row.ids.push(piece.id);
        row.starts.push(piece.start);
        row.ends.push(piece.end);
      }
    }
    return rowTokens(row, description);
  }

  const letters = oneTokenPerLetter(description)
    ? letterTokenizer({
        name,
        idOf: (character) => vocabulary.get(lowerCase ? character.toLowerCase() : character) ?? unknown,
        vocabularySize: vocabulary.size,
        special,
        before,
        after,
        token: (id) => textOf.get(id),
      })
    : undefined;

  return {
    name,
    kind: letters === undefined ? "bpe" : "one-letter",
    vocabularySize: 1 + [...vocabulary.values()].reduce((a, b) => Math.max(a, b), -1),
    special,
    before,
    after,
    encode,
    token: (id) => textOf.get(id),
  };
}

/** Tokens and spans of a text with characters other than A, C, G, T. */
interface Row {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/** Tokens of a row between the special tokens, whose spans are empty. */
function rowTokens({ ids, starts, ends }: Row, { before, after }: BpeDescription): Tokens {
  const none = { before: before.map(() => 0), after: after.map(() => 0) };
  return {
    ids: Int32Array.from([...before, ...ids, ...after]),
    starts: Int32Array.from([...none.before, ...starts, ...none.after]),
    ends: Int32Array.from([...none.before, ...ends, ...none.after]),
  };
}

/** Tokens of a text of A, C, G and T, whose spans adjoin, between the special tokens. */
function plainTokens(encoded: DnaBpe, count: number, { before, after }: BpeDescription): Tokens {
  const size = before.length + count + after.length;
  const first = before.length;
  const ids = new Int32Array(size);
  const starts = new Int32Array(size);
  const ends = new Int32Array(size);
  ids.set(before);
  ids.set(encoded.ids.subarray(0, count), first);
  ids.set(after, first + count);
  ends.set(encoded.ends.subarray(0, count), first);
  if (count > 1) starts.set(encoded.ends.subarray(0, count - 1), first + 1);
  return { ids, starts, ends };
}

/** BPE model of `@huggingface/tokenizers`, which its published types omit. */
interface LibraryModel {
  bpe(word: string): readonly string[];
}

function libraryModel({ vocabulary, merges }: BpeDescription): LibraryModel {
  const none = {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
  };
  const model = { type: "BPE", vocab: Object.fromEntries(vocabulary), merges };
  return new LibraryTokenizer({ ...none, model }, {}).model;
}

/** True if every letter of a text of letters is a token by itself. */
function oneTokenPerLetter({ merges, literals, unknown, normalizing, splitting }: BpeDescription): boolean {
  return (
    unknown !== undefined &&
    merges.length === 0 &&
    !literals.some(({ text }) => /^[A-Za-z]+$/.test(text)) &&
    normalizing.every(({ kind }) => kind === "lower-case" || kind === "normal-form") &&
    splitting.every(({ kind }) => ["words-and-signs", "between-blanks", "letters-only"].includes(kind))
  );
}

/** True if the rules leave every text of A, C, G and T unchanged as one word. */
function isPlain(rules: BpeDescription): boolean {
  const hasBase = (text: string) => /[ACGT]/.test(text);
  return (
    !rules.literals.some((literal) => /^[ACGT]+$/.test(literal.text)) &&
    ![...rules.normalizing, ...rules.splitting].some(
      (step) =>
        step.kind === "lower-case" ||
        ("pattern" in step &&
          hasBase("literal" in step.pattern ? step.pattern.literal : step.pattern.letter)),
    )
  );
}
