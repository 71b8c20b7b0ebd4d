import { InputError } from "../../base/errors.ts";
import { escapeRegExp } from "../../base/message-text.ts";
import { valueAt } from "../../base/record.ts";
import type { Pattern, TextStep } from "./text-steps.ts";
import type { Literal } from "./tokenizer-json.ts";

/** Characters with their spans in the original text. */
export interface Word {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A word to encode, or an added token that occurs literally in the text. */
export type Piece =
  | ({ readonly kind: "word" } & Word)
  | { readonly kind: "literal"; readonly id: number; readonly start: number; readonly end: number };

/** Rules applied to a text before its words are encoded. */
export interface TextRules {
  readonly literals: readonly Literal[];
  readonly normalizing: readonly TextStep[];
  readonly splitting: readonly TextStep[];
}

/**
 * Splits a text into words and literal tokens. Literals are matched first, leftmost and longest; the text
 * between them is normalized and then split. Spans refer to the original text.
 *
 * @throws {InputError} when a byte-level rule meets a character that is not a letter
 */
export function piecesOf(text: string, rules: TextRules): readonly Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  const addWords = (start: number, end: number) => {
    let words: readonly Word[] = [wordOf(text, start, end)];
    for (const step of [...rules.normalizing, ...rules.splitting])
      words = words.flatMap((word) => apply(step, word));
    for (const word of words) if (word.text.length > 0) pieces.push({ kind: "word", ...word });
  };
  for (const { literal, start, end } of literalsIn(text, rules.literals)) {
    addWords(done, start);
    pieces.push({ kind: "literal", id: literal.id, start, end });
    done = end;
  }
  addWords(done, text.length);
  return pieces;
}

function* literalsIn(text: string, literals: readonly Literal[]) {
  if (literals.length === 0) return;
  const longestFirst = [...literals].sort((a, b) => b.text.length - a.text.length);
  const byText = new Map(literals.map((literal) => [literal.text, literal]));
  const anyOf = new RegExp(longestFirst.map((literal) => escapeRegExp(literal.text)).join("|"), "g");
  let done = 0;
  for (const match of text.matchAll(anyOf)) {
    if (match.index < done) continue; // starts with spaces that belong to the previous match
    const literal = valueAt(byText, match[0]);
    let start = match.index;
    let end = start + match[0].length;
    if (literal.takesBlanksLeft) while (start > done && isBlank(text[start - 1])) start--;
    if (literal.takesBlanksRight) while (end < text.length && isBlank(text[end])) end++;
    yield { literal, start, end };
    done = end;
  }
}

function apply(step: TextStep, word: Word): readonly Word[] {
  switch (step.kind) {
    case "strip": {
      const { text } = word;
      const start = step.left ? text.length - text.trimStart().length : 0;
      const end = step.right ? text.trimEnd().length : text.length;
      return [part(word, start, Math.max(start, end))];
    }
    case "replace":
      return [replaced(word, step.pattern, step.by)];
    case "lower-case":
      return [{ ...word, text: word.text.toLowerCase() }];
    case "words-and-signs":
      return parts(word, /\w+|[^\w\s]+/g);
    case "between-blanks":
      return parts(word, /\S+/g);
    case "split":
      return split(word, step.pattern, step.keep);
    case "normal-form":
      // Only a Replace inserts characters outside ASCII, and their spans are not defined.
      if (word.text.normalize(step.form) === word.text) return [word];
      throw new InputError(
        `the normalizer ${step.form} would change ${JSON.stringify(word.text.slice(0, 40))}`,
      );
    case "letters-only": {
      const other = /[^A-Za-z]/.exec(word.text);
      if (other === null) return [word];
      throw new InputError(
        `${JSON.stringify(other[0])} at position ${word.starts[other.index]} is not a letter: byte-level tokenizers support letters only`,
      );
    }
  }
}

/**
 * Replaces matches. The inserted character has the span of the last character of its match, as in Hugging
 * Face.
 */
function replaced(word: Word, pattern: Pattern, by: string): Word {
  const text: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const keep = (from: number, to: number) => {
    text.push(word.text.slice(from, to));
    for (let i = from; i < to; i++) {
      starts.push(word.starts[i]);
      ends.push(word.ends[i]);
    }
  };
  let done = 0;
  for (const match of word.text.matchAll(regularExpression(pattern))) {
    const end = match.index + match[0].length;
    keep(done, match.index);
    if (by.length > 0) {
      text.push(by);
      starts.push(word.starts[end - 1]);
      ends.push(word.ends[end - 1]);
    }
    done = end;
  }
  keep(done, word.text.length);
  return { text: text.join(""), starts, ends };
}

function split(word: Word, pattern: Pattern, keep: boolean): readonly Word[] {
  const words: Word[] = [];
  let done = 0;
  for (const match of word.text.matchAll(regularExpression(pattern))) {
    const end = match.index + match[0].length;
    words.push(part(word, done, match.index));
    if (keep) words.push(part(word, match.index, end));
    done = end;
  }
  words.push(part(word, done, word.text.length));
  return words;
}

function parts(word: Word, pattern: RegExp): readonly Word[] {
  return [...word.text.matchAll(pattern)].map((match) =>
    part(word, match.index, match.index + match[0].length),
  );
}

function part({ text, starts, ends }: Word, from: number, to: number): Word {
  return { text: text.slice(from, to), starts: starts.slice(from, to), ends: ends.slice(from, to) };
}

function wordOf(text: string, start: number, end: number): Word {
  const length = end - start;
  return {
    text: text.slice(start, end),
    starts: Array.from({ length }, (_, i) => start + i),
    ends: Array.from({ length }, (_, i) => start + i + 1),
  };
}

function regularExpression(pattern: Pattern): RegExp {
  if ("literal" in pattern) return new RegExp(escapeRegExp(pattern.literal), "g");
  const most = Number.isFinite(pattern.most) ? pattern.most : "";
  return new RegExp(`${escapeRegExp(pattern.letter)}{${pattern.least},${most}}`, "g");
}

const isBlank = (character: string) => /\s/.test(character);
