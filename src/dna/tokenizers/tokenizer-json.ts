import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { isObject, JsonError, parseUniqueJson } from "../../base/json.ts";
import { quotedText, shownValue } from "../../base/message-text.ts";
import {
  checked,
  normalizingSteps,
  splittingSteps,
  type TextStep,
  type Typed,
  typed,
  unsupported,
} from "./text-steps.ts";

/** Limits far above any DNA tokenizer. */
const MAX_TOKENS = 2 ** 20;
const MAX_ID = 2 ** 24;
const MAX_TOKEN_LENGTH = 2 ** 12;

const id = z.number().int().nonnegative().max(MAX_ID);
const text = z.string().min(1).max(MAX_TOKEN_LENGTH);
const flag = z.boolean().default(false);

const outline = z.looseObject({ model: z.looseObject({ type: z.string().default("BPE") }) });
const document = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({ id, content: text, single_word: flag, lstrip: flag, rstrip: flag, normalized: flag }),
    )
    .max(MAX_TOKENS)
    .default([]),
  normalizer: typed.nullish(),
  pre_tokenizer: typed.nullish(),
  post_processor: typed.nullish(),
  model: z.looseObject({
    unk_token: z.string().nullish(),
    // Not z.record, which drops a token named __proto__.
    vocab: z.custom<object>(isObject),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).max(MAX_TOKENS),
  }),
});

/** Unsupported settings of the model: each must be absent, null, false, 0 or empty. */
const UNSUPPORTED_SETTINGS = [
  "dropout",
  "continuing_subword_prefix",
  "end_of_word_suffix",
  "fuse_unk",
  "byte_fallback",
  "ignore_merges",
];

/** An added token, matched in the original text before normalization. */
export interface Literal {
  readonly text: string;
  readonly id: number;
  /** Adjacent spaces become part of the token. */
  readonly takesBlanksLeft: boolean;
  readonly takesBlanksRight: boolean;
}

/** A BPE tokenizer, parsed from its `tokenizer.json` and validated. */
export interface BpeDescription {
  /** Text of every token, including added ones → unique id. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Earliest first; both parts and the result of each are in the vocabulary. */
  readonly merges: readonly (readonly [string, string])[];
  /** Id of characters outside the vocabulary. */
  readonly unknown: number | undefined;
  readonly literals: readonly Literal[];
  readonly normalizing: readonly TextStep[];
  readonly splitting: readonly TextStep[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Parses a Hugging Face `tokenizer.json`. Features that cannot be reproduced exactly are refused by name.
 * `truncation` and `padding` are ignored, as `transformers` does by default.
 *
 * @param source  text of the file
 * @param file    path of the file, for messages
 * @throws {FormatError} when the file is not a tokenizer.json, is inconsistent, or needs an unsupported
 *   feature
 */
export function parseTokenizerJson(source: string, file: string): BpeDescription {
  const value = parseJson(source, file);
  const { type } = checked(outline, value, file).model;
  if (type !== "BPE") throw unsupported("model", type, "BPE", file);
  const { model, added_tokens, normalizer, pre_tokenizer, post_processor } = checked(document, value, file);
  for (const setting of UNSUPPORTED_SETTINGS) {
    const given = model[setting];
    if (given) throw unsupported(`model.${setting}`, String(given), `model.${setting} left out`, file);
  }
  const invalid = (message: string) => new FormatError({ file }, message);

  const vocabulary = new Map<string, number>();
  const nameOf = new Map<number, string>();
  const name = (number: number, token: string) => {
    const other = nameOf.get(number) ?? token;
    if (other !== token) {
      throw invalid(`tokens ${quotedText(other)} and ${quotedText(token)} have the same id ${number}`);
    }
    nameOf.set(number, token);
  };
  for (const [token, given] of Object.entries(model.vocab)) {
    const number = id.safeParse(given);
    if (!text.safeParse(token).success || !number.success) {
      const what = `${JSON.stringify(token.slice(0, 40))}: ${shownValue(given)}`;
      throw invalid(
        `model.vocab has ${what}; expected a token of 1 to ${MAX_TOKEN_LENGTH} characters and an id`,
      );
    }
    vocabulary.set(token, number.data);
    name(number.data, token);
  }

  const merges = model.merges.map((merge, i): readonly [string, string] => {
    const [left, right, more] = typeof merge === "string" ? merge.split(" ") : merge;
    if (!left || !right || more !== undefined) {
      throw invalid(`merge ${i} is ${shownValue(merge)}; expected two tokens separated by a space`);
    }
    for (const token of [left, right, left + right]) {
      if (vocabulary.has(token)) continue;
      throw invalid(
        `merge ${i}, ${quotedText(`${left} ${right}`)}: ${quotedText(token)} is not in the vocabulary`,
      );
    }
    return [left, right];
  });

  const normalizing = normalizingSteps(normalizer, file);
  const changing = normalizing.some(({ kind }) => kind !== "normal-form");
  let free = vocabulary.size;
  const literals = added_tokens.map(
    ({ content, id: number, lstrip, rstrip, normalized, single_word }): Literal => {
      const quoted = quotedText(content);
      // Hugging Face assigns ids to new tokens itself and ignores those of the file.
      const expected = vocabulary.get(content) ?? free;
      if (number !== expected) throw invalid(`added token ${quoted} has id ${number}; expected ${expected}`);
      free = Math.max(free, number + 1);
      name(number, content);
      if (single_word) throw unsupported("added token", `${content}, single_word`, "single_word false", file);
      if (normalized && changing) {
        throw unsupported(
          "added token",
          `${content}, normalized`,
          "normalized false together with a normalizer",
          file,
        );
      }
      return { text: content, id: number, takesBlanksLeft: lstrip, takesBlanksRight: rstrip };
    },
  );
  for (const literal of literals) vocabulary.set(literal.text, literal.id);

  const unknown = model.unk_token == null ? undefined : vocabulary.get(model.unk_token);
  if (model.unk_token != null && unknown === undefined) {
    throw invalid(`model.unk_token ${quotedText(model.unk_token)} is not in the vocabulary`);
  }
  const ends = addedSpecialTokens(post_processor, file);
  const unnamed = [...ends.before, ...ends.after].find((end) => !nameOf.has(end));
  if (unnamed !== undefined) throw invalid(`post_processor adds the id ${unnamed}, which no token has`);

  const splitting = splittingSteps(pre_tokenizer, file);
  return { vocabulary, merges, unknown, literals, normalizing, splitting, ...ends };
}

/** Parses JSON of a tokenizer file. @throws {FormatError} when the text is not JSON, or repeats a name */
export function parseJson(source: string, file: string): unknown {
  try {
    return parseUniqueJson(source, 16);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new FormatError({ file }, `the file ${error.message}`, undefined, error);
  }
}

/** Ids added before and after the tokens of every sequence. */
export interface AddedSpecialTokens {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const templateTokenId = z.number().int().nonnegative();
const named = z.tuple([z.string(), templateTokenId]);
const bert = z.looseObject({ sep: named, cls: named });
const special = z.strictObject({ SpecialToken: z.looseObject({ id: z.string() }) });
const sequenceA = z.strictObject({ Sequence: z.looseObject({ id: z.literal("A") }) });
const template = z.looseObject({
  single: z.array(z.union([special, sequenceA])),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(templateTokenId) })),
});
const sequence = z.array(typed);

/**
 * Special tokens that the `post_processor` of a tokenizer.json adds to a single sequence.
 * @throws {FormatError} naming an unsupported post-processor
 */
export function addedSpecialTokens(step: Typed | null | undefined, file: string): AddedSpecialTokens {
  if (!step) return { before: [], after: [] };
  switch (step.type) {
    case "BertProcessing":
    case "RobertaProcessing": {
      const { cls, sep } = checked(bert, step, file);
      return { before: [cls[1]], after: [sep[1]] };
    }
    case "TemplateProcessing": {
      const { single, special_tokens } = checked(template, step, file);
      const before: number[] = [];
      const after: number[] = [];
      let sequences = 0;
      for (const item of single) {
        if ("Sequence" in item) {
          sequences++;
          continue;
        }
        const { id: name } = item.SpecialToken;
        if (!Object.hasOwn(special_tokens, name)) {
          throw new FormatError(
            { file },
            `post_processor.single uses ${quotedText(name)}, which is not in special_tokens`,
          );
        }
        (sequences === 0 ? before : after).push(...special_tokens[name].ids);
      }
      if (sequences === 1) return { before, after };
      throw new FormatError(
        { file },
        `post_processor.single has the sequence ${sequences} times; expected once`,
      );
    }
    case "Sequence":
      // Each processor wraps the output of the previous one.
      return checked(sequence, step.processors, file).reduce<AddedSpecialTokens>(
        (inner, part) => {
          const outer = addedSpecialTokens(part, file);
          return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] };
        },
        { before: [], after: [] },
      );
    case "ByteLevel": // affects the offsets of spaces only
      return { before: [], after: [] };
    default: {
      const known = "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence";
      throw unsupported("post_processor", step.type, known, file);
    }
  }
}
