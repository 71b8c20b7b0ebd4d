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
  /** A tokenizer.json, or a folder with tokenizer files; by default those of the published checkpoint. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once if another process is downloading the same file. */
  readonly onWait?: ((why: string) => void) | undefined;
  readonly retries?: RetryPolicy | undefined;
}

/** Tokenizer files to copy into an untrained checkpoint. */
export interface TokenizerFiles {
  /** Files of a checkpoint folder by name; none for tokens of one base. */
  readonly files: Readonly<Record<string, string>>;
  /** Path, or repository at a revision; undefined if the files follow from the model's sizes. */
  readonly from: string | undefined;
}

/** Fewer attempts than for a checkpoint, since --tokenizer is an alternative. */
const RETRIES: RetryPolicy = { attempts: 3, initialDelayMs: 500 };

/**
 * Tokenizer files for an untrained checkpoint of a published size: those at the path, else those that follow
 * from the sizes, else the published checkpoint's tokenizer.json from the hub cache or the hub.
 *
 * @throws {InputError} when the preset is unknown, the tokenizer does not fit its sizes, or none is available
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
  if (published === undefined) throw noTokenizer(card, preset, "is not published");
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
    throw new InputError(`${card.title} has one token per base and takes no tokenizer from ${path}`, {
      hint: "leave out --tokenizer",
    });
  }
  const kind = await kindOfPath(path);
  if (kind === undefined) {
    throw new InputError("no such file or folder", {
      place: { file: path },
      hint: "give a tokenizer.json or the folder of a checkpoint with one",
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

/** Checks that the tokenizer has as many tokens as the model has embeddings. */
function checkFits(
  { kind, vocabularySize, special }: Tokenizer,
  file: string,
  card: LanguageModelCard,
  preset: string,
): void {
  const { vocab_size: rows } = presetConfig(card, preset);
  const model = `${card.title} ${preset}`;
  if (card.tokens !== "any" && kind !== card.tokens) {
    throw new FormatError({ file }, `this is a ${kind} tokenizer; ${model} has ${card.tokens} tokens`);
  }
  if (vocabularySize !== rows) {
    throw new FormatError(
      { file },
      `the tokenizer has ${vocabularySize} tokens, but ${model} has ${rows}`,
      "use the tokenizer of the same model and size",
    );
  }
  if (card.kind === "masked" && special.mask === undefined) {
    throw new FormatError(
      { file },
      `the tokenizer has no mask token, which scoring with ${card.title} requires`,
    );
  }
}

function noTokenizer(card: LanguageModelCard, preset: string, why: string, cause?: unknown): InputError {
  return new InputError(`the tokenizer of ${card.title} ${preset} ${why}`, {
    hint: "give its tokenizer.json or a checkpoint folder with --tokenizer",
    cause,
  });
}
