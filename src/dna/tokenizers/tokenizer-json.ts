import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { JsonError, parseUniqueJson } from "../../base/json.ts";
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

/** Far above any tokenizer of DNA, far below what would hurt. */
const MOST_TOKENS = 2 ** 20;
const LARGEST_ID = 2 ** 24;
const LONGEST_TOKEN = 2 ** 12;

const id = z.number().int().nonnegative().max(LARGEST_ID);
const text = z.string().min(1).max(LONGEST_TOKEN);
const flag = z.boolean().default(false);

const outline = z.looseObject({ model: z.looseObject({ type: z.string().default("BPE") }) });
const document = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({ id, content: text, single_word: flag, lstrip: flag, rstrip: flag, normalized: flag }),
    )
    .max(MOST_TOKENS)
    .default([]),
  normalizer: typed.nullish(),
  pre_tokenizer: typed.nullish(),
  post_processor: typed.nullish(),
  model: z.looseObject({
    unk_token: z.string().nullish(),
    // Not z.record, which drops a token named __proto__.
    vocab: z.custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value)),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).max(MOST_TOKENS),
  }),
});

/** Settings of the model that would change tokens in ways not built here; each must be absent, null, false, 0 or empty. */
const UNUSED_SETTINGS = [
  "dropout",
  "continuing_subword_prefix",
  "end_of_word_suffix",
  "fuse_unk",
  "byte_fallback",
  "ignore_merges",
];

/** A token that is recognised in the text as it stands, before anything else is done. */
export interface Literal {
  readonly text: string;
  readonly id: number;
  /** Blanks beside it become part of it. */
  readonly takesBlanksLeft: boolean;
  readonly takesBlanksRight: boolean;
}

/** A byte-pair tokenizer as its `tokenizer.json` describes it, checked. */
export interface BpeDescription {
  /** Text of every token, added ones included → id. No id is given twice. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Earliest first; the parts and what they make are in the vocabulary. */
  readonly merges: readonly (readonly [string, string])[];
  /** Id for a letter that is not in the vocabulary. */
  readonly unknown: number | undefined;
  readonly literals: readonly Literal[];
  readonly normalizing: readonly TextStep[];
  readonly splitting: readonly TextStep[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Reads a `tokenizer.json` of Hugging Face tokenizers. What this package cannot do exactly as the original is refused by
 * its name. `truncation` and `padding` are not read: whoever loads such a file for a model switches both off unless a
 * call asks for them.
 *
 * @param source  the file's text
 * @param file    the file's name, for messages
 * @throws {FormatError} when the text is no tokenizer.json, contradicts itself, or asks for what is not supported
 */
export function parseTokenizerJson(source: string, file: string): BpeDescription {
  const value = parseJson(source, file);
  const { type } = checked(outline, value, file).model;
  if (type !== "BPE") throw unsupported("model", type, "BPE", file);
  const { model, added_tokens, normalizer, pre_tokenizer, post_processor } = checked(document, value, file);
  for (const setting of UNUSED_SETTINGS) {
    const given = model[setting];
    if (given) throw unsupported(`model.${setting}`, String(given), `model.${setting} left out`, file);
  }
  const trouble = (message: string) => new FormatError({ file }, message);

  const vocabulary = new Map<string, number>();
  const nameOf = new Map<number, string>();
  const name = (number: number, token: string) => {
    const other = nameOf.get(number) ?? token;
    if (other !== token) {
      throw trouble(`tokens ${quotedText(other)} and ${quotedText(token)} have the same id ${number}`);
    }
    nameOf.set(number, token);
  };
  for (const [token, given] of Object.entries(model.vocab)) {
    const number = id.safeParse(given);
    if (!text.safeParse(token).success || !number.success) {
      const what = `${JSON.stringify(token.slice(0, 40))}: ${shownValue(given)}`;
      throw trouble(
        `model.vocab has ${what}; a token of 1 to ${LONGEST_TOKEN} characters and an id were expected`,
      );
    }
    vocabulary.set(token, number.data);
    name(number.data, token);
  }

  const merges = model.merges.map((merge, i): readonly [string, string] => {
    const [left, right, more] = typeof merge === "string" ? merge.split(" ") : merge;
    if (!left || !right || more !== undefined) {
      throw trouble(`merge ${i} is ${shownValue(merge)}; two tokens with a blank between were expected`);
    }
    for (const token of [left, right, left + right]) {
      if (vocabulary.has(token)) continue;
      throw trouble(
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
      // The library numbers a new token itself, whatever the file says.
      const expected = vocabulary.get(content) ?? free;
      if (number !== expected)
        throw trouble(`added token ${quoted} has id ${number}; ${expected} was expected`);
      free = Math.max(free, number + 1);
      name(number, content);
      if (single_word) throw unsupported("added token", `${content}, single_word`, "single_word false", file);
      if (normalized && changing) {
        throw unsupported(
          "added token",
          `${content}, normalized`,
          "normalized false beside a normalizer",
          file,
        );
      }
      return { text: content, id: number, takesBlanksLeft: lstrip, takesBlanksRight: rstrip };
    },
  );
  for (const literal of literals) vocabulary.set(literal.text, literal.id);

  const unknown = model.unk_token == null ? undefined : vocabulary.get(model.unk_token);
  if (model.unk_token != null && unknown === undefined) {
    throw trouble(`model.unk_token ${quotedText(model.unk_token)} is not in the vocabulary`);
  }
  const ends = addedEnds(post_processor, file);
  const stranger = [...ends.before, ...ends.after].find((end) => !nameOf.has(end));
  if (stranger !== undefined) throw trouble(`post_processor adds the id ${stranger}, which no token has`);

  const splitting = splittingSteps(pre_tokenizer, file);
  return { vocabulary, merges, unknown, literals, normalizing, splitting, ...ends };
}

/** @throws {FormatError} when the text is not JSON, or gives a name twice */
export function parseJson(source: string, file: string): unknown {
  try {
    return parseUniqueJson(source, 16);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new FormatError({ file }, `the file ${error.message}`, undefined, error);
  }
}

/** Ids put in front of and behind the tokens of every sequence. */
interface AddedEnds {
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
 * What the `post_processor` of a tokenizer.json adds to a single sequence.
 * @throws {FormatError} naming a post-processor that this package does not know
 */
function addedEnds(step: Typed | null | undefined, file: string): AddedEnds {
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
        const known = special_tokens[item.SpecialToken.id];
        if (known === undefined) {
          const name = quotedText(item.SpecialToken.id);
          throw new FormatError({ file }, `post_processor.single uses ${name}, which special_tokens lacks`);
        }
        (sequences === 0 ? before : after).push(...known.ids);
      }
      if (sequences === 1) return { before, after };
      throw new FormatError({ file }, `post_processor.single has the sequence ${sequences} times, not once`);
    }
    case "Sequence":
      // Each part wraps what the parts before it made.
      return checked(sequence, step.processors, file).reduce<AddedEnds>(
        (inner, part) => {
          const outer = addedEnds(part, file);
          return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] };
        },
        { before: [], after: [] },
      );
    case "ByteLevel": // moves the borders of blanks only
      return { before: [], after: [] };
    default: {
      const known = "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence";
      throw unsupported("post_processor", step.type, known, file);
    }
  }
}
