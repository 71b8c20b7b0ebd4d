import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { FormatError, InputError, reasonOf } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";
import { checked, typed } from "./text-steps.ts";
import { readSpecialTokens, requireAscii, type Tokenizer, type Tokens } from "./tokenizer.ts";
import { addedSpecialTokens } from "./tokenizer-json.ts";

/** Models of a tokenizer.json that `@huggingface/tokenizers` encodes; `bpe.ts` encodes byte pairs. */
const MODELS: readonly string[] = ["WordPiece", "WordLevel", "Unigram"];

const outline = z.looseObject({
  model: z.looseObject({ type: z.string().optional(), continuing_subword_prefix: z.string().nullish() }),
  post_processor: typed.nullish(),
});

/** Patterns whose running time is linear: a character or a class of them, with at most one repeat. */
const LINEAR = /^(?:\.|\\[wds]|[A-Za-z0-9-]|\[\^?[A-Za-z0-9]+\])?(?:[+*?]|\{\d{1,6}(?:,\d{0,6})?\})?$/;

/**
 * Tokenizer of a tokenizer.json with a WordPiece, WordLevel or Unigram model, encoded by
 * `@huggingface/tokenizers`; undefined for other models.
 *
 * The library returns no offsets. The texts of the tokens, without the marks of words and continuations, must
 * spell the sequence, which gives the spans; a sequence with an unknown token, or one without bases, is
 * refused.
 *
 * @param source    parsed contents of the file
 * @param settings  contents of tokenizer_config.json and special_tokens_map.json
 * @throws {FormatError} when the file is invalid or has a regular expression that is not a simple repeat
 */
export function libraryTokenizer(
  name: string,
  source: unknown,
  file: string,
  settings: readonly Readonly<Record<string, unknown>>[],
): Tokenizer | undefined {
  const { success, data } = outline.safeParse(source);
  if (!success || !MODELS.includes(data.model.type ?? "BPE")) return undefined;
  refuseSlowPatterns(source, file);
  const { before, after } = addedSpecialTokens(data.post_processor, file);
  const library = opened(checked(z.looseObject({}), source, file), file);
  const vocabulary = library.get_vocab(true);
  const textOf = new Map([...vocabulary].map(([text, id]) => [id, text]));
  const special = readSpecialTokens(vocabulary, settings);
  const prefix = data.model.continuing_subword_prefix ?? (data.model.type === "WordPiece" ? "##" : "");
  const basesOf = (text: string) => {
    const plain = text.replace(/^[▁Ġ]/, "");
    return prefix !== "" && plain.startsWith(prefix) ? plain.slice(prefix.length) : plain;
  };

  function encode(sequence: string): Tokens {
    requireAscii(sequence);
    const { ids } = library.encode(sequence, { add_special_tokens: false });
    const row: { id: number; start: number; end: number }[] = [];
    let at = 0;
    for (const id of ids) {
      const bases = basesOf(textOf.get(id) ?? "");
      const end = at + bases.length;
      const spelled = sequence.slice(at, end).toUpperCase() === bases.toUpperCase();
      if (id === special.unk || !spelled) {
        throw new InputError(
          `${name} has no token for the bases at position ${at}: ${quotedText(sequence.slice(at, at + 20))}`,
        );
      }
      if (bases.length === 0) {
        throw new InputError(`${name} has a token without bases, ${quotedText(textOf.get(id) ?? "")}`, {
          hint: "such tokenizers are not supported: serve the model by an adapter",
        });
      }
      row.push({ id, start: at, end });
      at = end;
    }
    if (at !== sequence.length) {
      throw new InputError(`the tokens of ${name} cover ${at} of ${sequence.length} characters`);
    }
    const none = { start: 0, end: 0 };
    const all = [...before.map((id) => ({ id, ...none })), ...row, ...after.map((id) => ({ id, ...none }))];
    return {
      ids: Int32Array.from(all, ({ id }) => id),
      starts: Int32Array.from(all, ({ start }) => start),
      ends: Int32Array.from(all, ({ end }) => end),
    };
  }

  return {
    name,
    kind: kindOf([...vocabulary.keys()].map(basesOf)),
    vocabularySize: 1 + [...vocabulary.values()].reduce((a, b) => Math.max(a, b), -1),
    special,
    before,
    after,
    encode,
    token: (id) => textOf.get(id),
  };
}

function opened(source: object, file: string): LibraryTokenizer {
  try {
    return new LibraryTokenizer(source, {});
  } catch (cause) {
    const why = reasonOf(cause);
    throw new FormatError({ file }, `the tokenizer cannot be opened: ${quotedText(why)}`, undefined, cause);
  }
}

/** Kind of tokens: of one base each, of one length k and single bases, or of many lengths. */
function kindOf(texts: readonly string[]): Tokenizer["kind"] {
  const lengths = new Set(texts.filter((text) => /^[ACGT]+$/i.test(text)).map((text) => text.length));
  lengths.delete(1);
  return lengths.size === 0 ? "one-letter" : lengths.size === 1 ? "k-mer" : "bpe";
}

/** @throws {FormatError} naming a regular expression whose running time may not be linear */
function refuseSlowPatterns(value: unknown, file: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === "vocab") continue;
    if (key === "Regex" && !(typeof each === "string" && LINEAR.test(each))) {
      throw new FormatError(
        { file },
        `the pattern ${quotedText(String(each))} is not supported`,
        "supported: a character or a class of characters with a repeat, such as [ACGT]{3}",
      );
    }
    refuseSlowPatterns(each, file);
  }
}
