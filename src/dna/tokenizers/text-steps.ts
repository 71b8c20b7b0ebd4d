import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";

/** A literal text, or a run of `least` to `most` repeats of one character. */
export type Pattern =
  | { readonly literal: string }
  | { readonly letter: string; readonly least: number; readonly most: number };

/** One step of normalization or pre-tokenization. */
export type TextStep =
  | { readonly kind: "strip"; readonly left: boolean; readonly right: boolean }
  /** `by` is empty or one character. */
  | { readonly kind: "replace"; readonly pattern: Pattern; readonly by: string }
  | { readonly kind: "lower-case" }
  /** Words of `\w` characters and runs of punctuation; drops whitespace. */
  | { readonly kind: "words-and-signs" }
  | { readonly kind: "between-blanks" }
  | { readonly kind: "split"; readonly pattern: Pattern; readonly keep: boolean }
  /** Byte-level rules: supported for words of letters only. */
  | { readonly kind: "letters-only" }
  /** Unicode normalization, which does not change ASCII. */
  | { readonly kind: "normal-form"; readonly form: NormalForm };

const NORMAL_FORMS = ["NFC", "NFD", "NFKC", "NFKD"] as const;
type NormalForm = (typeof NORMAL_FORMS)[number];

/** A component of a tokenizer.json with its `type`. */
export const typed = z.looseObject({ type: z.string() });
export type Typed = z.infer<typeof typed>;

const pattern = z.union([z.strictObject({ String: z.string() }), z.strictObject({ Regex: z.string() })]);
const strip = z.looseObject({ strip_left: z.boolean(), strip_right: z.boolean() });
const replace = z.looseObject({ pattern, content: z.string() });
const split = z.looseObject({ pattern, behavior: z.string(), invert: z.boolean().default(false) });
const byteLevel = z.looseObject({ add_prefix_space: z.boolean().default(true) });
const sequence = z.array(typed);

/**
 * Steps of the `normalizer` of a tokenizer.json.
 * @throws {FormatError} naming a normalizer that cannot be reproduced exactly
 */
export function normalizingSteps(step: Typed | null | undefined, file: string): readonly TextStep[] {
  if (!step) return [];
  switch (step.type) {
    case "Sequence":
      return checked(sequence, step.normalizers, file).flatMap((part) => normalizingSteps(part, file));
    case "Strip": {
      const { strip_left, strip_right } = checked(strip, step, file);
      return [{ kind: "strip", left: strip_left, right: strip_right }];
    }
    case "Replace": {
      const given = checked(replace, step, file);
      // The offsets of several inserted characters have not been verified against the reference.
      if (given.content.length > 1) {
        throw unsupported(
          "normalizer",
          `Replace by ${given.content}`,
          "Replace by one character or none",
          file,
        );
      }
      return [{ kind: "replace", pattern: patternOf(given.pattern, file), by: given.content }];
    }
    case "Lowercase":
      return [{ kind: "lower-case" }];
    default: {
      const form = NORMAL_FORMS.find((each) => each === step.type);
      if (form !== undefined) return [{ kind: "normal-form", form }];
      throw unsupported(
        "normalizer",
        step.type,
        `Strip, Replace, Lowercase, ${NORMAL_FORMS.join(", ")}, Sequence`,
        file,
      );
    }
  }
}

/**
 * Steps of the `pre_tokenizer` of a tokenizer.json.
 * @throws {FormatError} naming a pre-tokenizer that cannot be reproduced exactly
 */
export function splittingSteps(step: Typed | null | undefined, file: string): readonly TextStep[] {
  if (!step) return [];
  switch (step.type) {
    case "Sequence":
      return checked(sequence, step.pretokenizers, file).flatMap((part) => splittingSteps(part, file));
    case "Whitespace":
      return [{ kind: "words-and-signs" }];
    case "WhitespaceSplit":
      return [{ kind: "between-blanks" }];
    case "Split": {
      const given = checked(split, step, file);
      if (given.invert || !["Isolated", "Removed"].includes(given.behavior)) {
        const what = `Split, ${given.behavior}${given.invert ? ", inverted" : ""}`;
        throw unsupported("pre_tokenizer", what, "Split that is Isolated or Removed and not inverted", file);
      }
      return [
        { kind: "split", pattern: patternOf(given.pattern, file), keep: given.behavior === "Isolated" },
      ];
    }
    case "ByteLevel":
      if (checked(byteLevel, step, file).add_prefix_space) {
        throw unsupported("pre_tokenizer", "ByteLevel, add_prefix_space", "ByteLevel without it", file);
      }
      return [{ kind: "letters-only" }];
    default:
      throw unsupported(
        "pre_tokenizer",
        step.type,
        "Whitespace, WhitespaceSplit, Split, ByteLevel, Sequence",
        file,
      );
  }
}

/**
 * Parses a pattern. Regular expressions of the file are never executed: only repeats of one character are
 * supported.
 */
function patternOf(given: z.infer<typeof pattern>, file: string): Pattern {
  if ("String" in given && given.String.length > 0) return { literal: given.String };
  const text = "Regex" in given ? given.Regex : "";
  const [, letter, plus, least, comma, most] =
    /^([A-Za-z0-9-])(?:(\+)|\{(\d{1,6})(?:(,)(\d{1,6})?)?\})?$/.exec(text) ?? [];
  const run = plus === undefined ? Number(least ?? 1) : 1;
  const endless = plus !== undefined || (comma !== undefined && most === undefined);
  const longest = endless ? Number.POSITIVE_INFINITY : Number(most ?? run);
  if (letter === undefined || run < 1 || longest < run) {
    throw new FormatError(
      { file },
      `the pattern ${quotedText(text)} is not supported`,
      "supported: a literal text, or one character with a repeat, such as N{10,}",
    );
  }
  return { letter, least: run, most: longest };
}

/** Error of a component that cannot be reproduced exactly. */
export function unsupported(part: string, what: string, known: string, file: string): FormatError {
  return new FormatError(
    { file },
    `${part} ${quotedText(what)} is not supported: the tokens could differ from those of the original`,
    `supported: ${known}`,
  );
}

/** Validates a value with a schema. @throws {FormatError} naming the path of the first violation */
export function checked<T extends z.ZodType>(schema: T, value: unknown, file: string): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new FormatError({ file }, `${place}${issue.message}`, undefined, result.error);
}
