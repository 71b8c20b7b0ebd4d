import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { cachedDigest, sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { checkIsFile, kindOfPath, namesInFolder } from "../../base/folder.ts";
import { issueText, JsonError, parseUniqueJson, stableStringify } from "../../base/json.ts";
import { openFile } from "../../base/read-file.ts";
import { withoutUndefined } from "../../base/record.ts";
import { letterTokenizer } from "../../dna/tokenizers/one-letter.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";

const name = z.string().min(1).max(200);
const id = z
  .int()
  .min(0)
  .max(1 << 24);
const specials = { pad: id.optional(), mask: id.optional() };

/** Tokenizer in files that `openTokenizer` reads, in a folder below the card's. */
const folderSchema = z.strictObject({ folder: name, ...specials });
/** Tokenizer with one token per base. */
const lettersSchema = z.strictObject({
  letters: z.record(z.string().regex(/^[!-~]$/, "expected one character"), id),
  unknown: id.optional(),
  before: z.array(id).max(16).default([]),
  after: z.array(id).max(16).default([]),
  ...specials,
});

const cardSchema = z.strictObject({
  format: z.literal("dart-eval onnx card"),
  formatVersion: z.literal(1),
  name: name.optional(),
  kind: z.enum(["causal", "masked"]),
  tokenizer: z.union([folderSchema, lettersSchema]),
  inputs: z.strictObject({ ids: name, mask: name.optional(), zeros: z.array(name).max(16).default([]) }),
  outputs: z
    .strictObject({ logits: name.optional(), hidden: name.optional() })
    .refine(
      ({ logits, hidden }) => logits !== undefined || hidden !== undefined,
      "expected logits or hidden",
    ),
  maxTokens: z.int().min(1).max(1e9).optional(),
});

/** Description of an ONNX file as a language model; see docs/adapters.md. */
export type OnnxCard = z.output<typeof cardSchema>;

/** Limit of a card's size in bytes. */
const MAX_CARD_BYTES = 2 ** 20;

const HINT = "docs/adapters.md describes the card";

/** Path of an ONNX file's card: `model.card.json` for `model.onnx`. */
export function cardPath(model: string): string {
  return model.replace(/(\.onnx)?$/, ".card.json");
}

/**
 * Reads the card of an ONNX file.
 *
 * @throws {InputError} when there is no card next to the model
 * @throws {FormatError} naming the invalid key
 */
export async function readOnnxCard(model: string): Promise<OnnxCard> {
  await checkIsFile(model);
  const path = cardPath(model);
  if ((await kindOfPath(path)) !== "file") {
    throw new InputError("no such file: an ONNX model needs a card next to it", {
      place: { file: path },
      hint: `write it with the tokenizer, the inputs and the outputs; ${HINT}`,
    });
  }
  const card = await readJson(path);
  const parsed = cardSchema.safeParse(card);
  if (parsed.success) return parsed.data;
  const issue = deepestIssue(parsed.error.issues[0]);
  throw new FormatError({ file: path }, `${issue.path.join(".") || "the card"}: ${issueText(issue)}`, HINT);
}

async function readJson(path: string): Promise<unknown> {
  await using file = await openFile(path);
  if (file.size > MAX_CARD_BYTES) {
    throw new FormatError(
      { file: path },
      `the card has ${file.size} bytes; expected at most ${MAX_CARD_BYTES}`,
    );
  }
  try {
    return parseUniqueJson(new TextDecoder().decode(await file.read(0, file.size)));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new FormatError({ file: path }, `the card ${error.message}`, HINT, error);
  }
}

/** The issue of the nearest alternative of a union, or of an invalid key. */
function deepestIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code === "invalid_key") return { ...issue, message: issue.issues[0]?.message ?? issue.message };
  if (issue.code !== "invalid_union") return issue;
  const [nearest] = issue.errors.toSorted((a, b) => a.length - b.length);
  const inner = nearest?.[0];
  if (inner === undefined) return issue;
  const deeper = deepestIssue(inner);
  return { ...deeper, path: [...issue.path, ...deeper.path] };
}

/** A tokenizer, and text that changes whenever its tokens can change. */
export interface IdentifiedTokenizer {
  readonly tokenizer: Tokenizer;
  readonly identity: string;
}

/** Files that determine a folder's tokenizer. */
const FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"];

/**
 * Opens the tokenizer of a card.
 *
 * @throws {FormatError} when its folder is outside the card's folder or has no tokenizer, or a masked model's
 *   tokenizer has no mask
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
      "scoring with a masked model requires a mask token, which the tokenizer does not have",
      "set tokenizer.mask to its id",
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
      `tokenizer.folder ${JSON.stringify(folder)} is outside the card's folder`,
    );
  }
  const tokenizer = await openTokenizer(path);
  const special = {
    ...tokenizer.special,
    ...withoutUndefined({ pad, mask }),
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
      ...withoutUndefined({ pad, mask, unk: unknown }),
    },
    before,
    after,
    token: (id) => [...ids].find(([, other]) => other === id)?.[0],
  });
}
