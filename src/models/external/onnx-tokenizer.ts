import { dirname, join, relative } from "node:path";
import { cachedDigest } from "../../base/cached-digest.ts";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError } from "../../base/errors.ts";
import { namesInFolder } from "../../base/folder.ts";
import { stableStringify } from "../../base/json.ts";
import { letterTokenizer } from "../../dna/tokenizers/one-letter.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import { cardPath, type OnnxCard } from "./onnx-card.ts";

/** A tokenizer, and text that changes whenever its tokens may. */
export interface IdentifiedTokenizer {
  readonly tokenizer: Tokenizer;
  readonly identity: string;
}

/** Files that decide what a folder's tokenizer makes of letters. */
const FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"];

/**
 * The tokenizer that a card names.
 *
 * @throws {FormatError} when its folder lies outside the card's, or holds no tokenizer, or a masked model's has no mask
 */
export async function cardTokenizer(model: string, card: OnnxCard): Promise<IdentifiedTokenizer> {
  const file = cardPath(model);
  const opened =
    "folder" in card.tokenizer
      ? await fromFolder(card.tokenizer, file)
      : { tokenizer: fromLetters(card.tokenizer), identity: sha256Hex(stableStringify(card.tokenizer)) };
  if (
    card.kind === "masked" &&
    card.outputs.logits !== undefined &&
    opened.tokenizer.special.mask === undefined
  ) {
    throw new FormatError(
      { file },
      "a masked model is asked with a token that hides another, and the tokenizer has none",
      "give its id as tokenizer.mask",
    );
  }
  return opened;
}

async function fromFolder(
  { folder, pad, mask }: Extract<OnnxCard["tokenizer"], { folder: string }>,
  file: string,
): Promise<IdentifiedTokenizer> {
  const path = join(dirname(file), folder);
  const way = relative(dirname(file), path);
  if (way.startsWith("..")) {
    throw new FormatError(
      { file },
      `tokenizer.folder ${JSON.stringify(folder)} lies outside the card's folder`,
    );
  }
  const tokenizer = await openTokenizer(path);
  const special = {
    ...tokenizer.special,
    ...(pad === undefined ? {} : { pad }),
    ...(mask === undefined ? {} : { mask }),
  };
  const vocabularySize = Math.max(tokenizer.vocabularySize, (pad ?? 0) + 1, (mask ?? 0) + 1);
  const names = (await namesInFolder(path)).filter((name) => FILES.includes(name));
  const digests = await Promise.all(names.map((name) => cachedDigest(join(path, name))));
  return {
    tokenizer: { ...tokenizer, special, vocabularySize },
    identity: sha256Hex(stableStringify({ names, digests, special: { ...special } })),
  };
}

function fromLetters({
  letters,
  unknown,
  pad,
  mask,
  before,
  after,
}: Exclude<OnnxCard["tokenizer"], { folder: string }>): Tokenizer {
  const ids = new Map(Object.entries(letters));
  const used = [...ids.values(), ...before, ...after, pad ?? 0, mask ?? 0, unknown ?? 0];
  return letterTokenizer({
    name: "the card",
    idOf: (character) => ids.get(character),
    vocabularySize: Math.max(...used) + 1,
    special: {
      ...(pad === undefined ? {} : { pad }),
      ...(mask === undefined ? {} : { mask }),
      ...(unknown === undefined ? {} : { unk: unknown }),
    },
    before,
    after,
    token: (id) => [...ids].find(([, other]) => other === id)?.[0],
  });
}
