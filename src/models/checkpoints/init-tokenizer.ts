import { join } from "node:path";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import type { RetryPolicy } from "../../base/http.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { openTokenizer, openTokenizerJson, TOKENIZER_FILES } from "../../dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { LanguageModelCard } from "../language/card.ts";
import { fetchFromHub } from "./hub.ts";
import { presetConfig } from "./init.ts";

/** Model whose tokenizer is needed, and where to take it from. */
export interface TokenizerRequest {
  readonly preset: string;
  /** A tokenizer.json, or a folder with a tokenizer's files; where absent, the published checkpoint's is taken. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told once when another process is downloading the same file. */
  readonly onWait?: ((why: string) => void) | undefined;
  readonly retries?: RetryPolicy | undefined;
}

/** Tokenizer files to copy into an untrained checkpoint. */
export interface TokenizerFiles {
  /** Contents by name, as a checkpoint's folder has them; none where the letters are the tokens. */
  readonly files: Readonly<Record<string, string>>;
  /** A path, or a repository at a revision; undefined where the sizes of the model tell all. */
  readonly from: string | undefined;
}

/** Somebody is waiting, and another way is open: fewer attempts than for a checkpoint. */
const RETRIES: RetryPolicy = { attempts: 3, initialDelayMs: 500 };

/**
 * The tokenizer's files for an untrained checkpoint of a published size: those at the path, else what follows from the
 * sizes, else the published checkpoint's tokenizer.json, from the hub's cache or, without its weights, from the hub.
 *
 * @throws {InputError} when the preset is unknown, the tokenizer is not one for its sizes, or there is none to be had
 */
export async function tokenizerFilesFor(
  card: LanguageModelCard,
  { preset, path, ...request }: TokenizerRequest,
): Promise<TokenizerFiles> {
  const config = presetConfig(card, preset);
  if (path !== undefined) return await filesAt(path, card, preset);
  const files = card.tokenizerFiles?.(config) ?? {};
  if (card.tokens === "one-letter" || Object.keys(files).length > 0) return { files, from: undefined };

  const published = card.checkpoints.find((each) => each.preset === preset);
  if (published === undefined) throw noTokenizer(card, preset, "nobody has published one");
  const { repo, revision } = published;
  let folder: string;
  try {
    const only = { repo, revision, files: ["tokenizer.json"] };
    ({ folder } = await fetchFromHub({ retries: RETRIES, ...request, ...only }));
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw noTokenizer(card, preset, `could not be taken from ${repo}: ${cause.message}`, cause);
  }
  return { ...(await filesAt(join(folder, "tokenizer.json"), card, preset)), from: `${repo} at ${revision}` };
}

async function filesAt(path: string, card: LanguageModelCard, preset: string): Promise<TokenizerFiles> {
  if (card.tokens === "one-letter") {
    throw new InputError(`${card.title} reads letter by letter and takes no tokenizer from ${path}`);
  }
  const kind = await kindOfPath(path);
  if (kind === undefined) {
    throw new InputError(`there is no ${path}`, {
      hint: "give a tokenizer.json, or the folder of a checkpoint that has one",
    });
  }
  const isFile = kind === "file";
  const tokenizer = isFile ? await openTokenizerJson(path) : await openTokenizer(path);
  checkFits(tokenizer, path, card, preset);
  const files: Record<string, string> = {};
  for (const name of isFile ? ["tokenizer.json"] : TOKENIZER_FILES) {
    const text = await textIfPresent(isFile ? path : join(path, name));
    if (text !== undefined) files[name] = text;
  }
  return { files, from: path };
}

/** The tokens of a published size are as many as the model has rows for; another number is another tokenizer. */
function checkFits(
  { kind, vocabularySize, special }: Tokenizer,
  file: string,
  card: LanguageModelCard,
  preset: string,
): void {
  const { vocab_size: rows } = presetConfig(card, preset);
  const model = `${card.title} ${preset}`;
  if (kind !== card.tokens) {
    throw new FormatError({ file }, `is a ${kind} tokenizer, and ${model} has ${card.tokens} tokens`);
  }
  if (vocabularySize !== rows) {
    throw new FormatError(
      { file },
      `the tokenizer has ${vocabularySize} tokens, and ${model} has ${rows}`,
      "is it the tokenizer of another model?",
    );
  }
  if (card.kind === "masked" && special.mask === undefined) {
    throw new FormatError(
      { file },
      `the tokenizer has no mask token, without which ${card.title} cannot be asked`,
    );
  }
}

function noTokenizer(card: LanguageModelCard, preset: string, why: string, cause?: unknown): InputError {
  return new InputError(`the tokenizer of ${card.title} ${preset} ${why}`, {
    hint: "its tokens do not follow from its sizes: give its tokenizer.json, or the folder of a checkpoint, with --tokenizer",
    cause,
  });
}
