import { sha256Hex } from "../../base/digest.ts";
import { InternalError } from "../../base/errors.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { Architecture } from "./architecture.ts";

/** A published checkpoint on the Hugging Face hub. */
export interface PublicCheckpoint {
  /** Short name, unique in the family: "large-1m". */
  readonly preset: string;
  readonly repo: string;
  /**
   * A commit (40 hexadecimal digits), which pins the checkpoint, or "main" if the commit is not recorded.
   */
  readonly revision: string;
  /** SHA-256 of the weights by file name, if published. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** Contents of config.json, also written by `models init`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** True for the checkpoint that DART-Eval evaluated. */
  readonly usedByDartEval?: boolean;
}

/** Published output of the official code for a real checkpoint. */
export interface ReferenceOutput {
  readonly preset: string;
  /** Token ids of the input, special tokens included. */
  readonly ids: readonly number[];
  /** Description of the input. */
  readonly description: string;
  /** Mean of the last hidden state over all tokens: sums over its d values, first and last values. */
  readonly mean?: {
    readonly sum?: number;
    readonly sumOfSquares?: number;
    readonly first: readonly number[];
    readonly last?: readonly number[];
  };
  /** First values of the first token's last hidden state. */
  readonly firstToken?: readonly number[];
  /** First values of other tokens' last hidden states, by 0-based position. */
  readonly otherTokens?: Readonly<Record<number, readonly number[]>>;
  /** Largest allowed absolute deviation of a value. */
  readonly tolerance: number;
}

/** Facts on a family's published checkpoints that their config.json lack, for tables of models. */
export interface PublishedFacts {
  /** Number of tokens of 350 bases, special tokens included. */
  readonly tokensOf350: number;
  /** Context length in tokens, as stated by the authors. */
  context(checkpoint: PublicCheckpoint): number;
  /** Sequences of pretraining, as text. */
  trainedOn(checkpoint: PublicCheckpoint): string;
}

/**
 * Contents of tokenizer files by name, for a configuration; empty if the configuration does not determine
 * them.
 */
export type TokenizerFilesOf = (
  config: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, string>>;

/** Tokenizer files for configurations with a vocabulary of this size, and none for others. */
export const tokenizerFilesOfSize =
  (size: number, files: Readonly<Record<string, string>>): TokenizerFilesOf =>
  ({ vocab_size }) =>
    vocab_size === size ? files : {};

/** A family of language models. */
export interface LanguageModelCard {
  /** Kebab-case: "hyenadna". */
  readonly name: string;
  readonly title: string;
  /** Name of the family in DART-Eval's published results: "NT". */
  readonly publishedAs?: string;
  readonly kind: "causal" | "masked";
  /** Kind of tokens; "any" if each checkpoint has its own tokenizer. */
  readonly tokens: Tokenizer["kind"] | "any";
  /** True if the package contains a small trained model, `toy:NAME`. */
  readonly toy?: true;
  readonly cite: string;
  readonly licence: string;
  /** Sentences on the family's checkpoints, for docs/models.md. */
  readonly note?: string;
  /** True if a config.json belongs to this family. */
  recognises(config: Readonly<Record<string, unknown>>): boolean;
  /**
   * Builds the architecture from the sizes in config.json.
   *
   * @param config  contents of config.json
   * @param file    its path, for messages
   * @throws {FormatError} when a size is missing or invalid
   */
  architecture(config: Readonly<Record<string, unknown>>, file: string): Architecture;
  /** Opens the tokenizer in a checkpoint folder. */
  tokenizer(folder: string, config: Readonly<Record<string, unknown>>): Promise<Tokenizer>;
  /**
   * Tokenizer files by name, for untrained checkpoints whose sizes determine them. Otherwise they come from a
   * published checkpoint.
   */
  readonly tokenizerFiles?: TokenizerFilesOf;
  readonly checkpoints: readonly PublicCheckpoint[];
  readonly facts?: PublishedFacts;
  /**
   * Configurations without a published checkpoint, for tests and demonstrations; `models init` accepts them
   * too.
   */
  readonly toys: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly referenceOutputs: readonly ReferenceOutput[];
}

/** An architecture of Transformers with checkpoints by many authors. */
interface ArchitectureForm
  extends Pick<LanguageModelCard, "name" | "title" | "kind" | "cite" | "architecture" | "tokenizerFiles"> {
  /** Values of `model_type` in config.json. */
  readonly modelTypes: readonly string[];
  /** Configuration of the toy. */
  readonly toy: Readonly<Record<string, unknown>>;
}

/** Card of an architecture without listed checkpoints, whose checkpoints have their own tokenizers. */
export function architectureCard({ modelTypes, toy, ...own }: ArchitectureForm): LanguageModelCard {
  const types: readonly unknown[] = modelTypes;
  return {
    ...own,
    tokens: "any",
    licence: "see the repository",
    recognises: ({ model_type }) => types.includes(model_type),
    tokenizer: openTokenizer,
    checkpoints: [],
    toys: { toy },
    referenceOutputs: [],
  };
}

/** A size in a configuration that the package has. @throws {InternalError} when it is not a number */
export function sizeIn(config: Readonly<Record<string, unknown>>, key: string): number {
  const size = config[key];
  if (typeof size === "number") return size;
  throw new InternalError(`the configuration has no ${key}`);
}

/** Published checkpoints of a family: the part of its card in `published-checkpoints/`. */
export type KnownCheckpoints = Pick<
  LanguageModelCard,
  "checkpoints" | "facts" | "toys" | "referenceOutputs" | "tokenizerFiles"
>;

/** Name of a checkpoint in results: `LongSafari/hyenadna-large-1m-seqlen-hf@0a629abf…`. */
export const checkpointName = ({ repo, revision }: Pick<PublicCheckpoint, "repo" | "revision">) =>
  `${repo}@${revision}`;

/**
 * The published checkpoint with a model's weights, by digest; undefined for other weights and for checkpoints
 * without published digests.
 *
 * @param identity  identity of the model, which contains the digest of its weights
 */
export function checkpointWithWeights(
  { checkpoints }: Pick<LanguageModelCard, "checkpoints">,
  identity: string,
): PublicCheckpoint | undefined {
  return checkpoints.find(({ sha256 = {} }) =>
    weightDigests(sha256).some((digest) => identity.includes(digest)),
  );
}

/** Digests by which a checkpoint identifies itself: of each single file, and of the list of its shards. */
function weightDigests(sha256: Readonly<Record<string, string>>): readonly string[] {
  const files = Object.entries(sha256).sort(([a], [b]) => (a < b ? -1 : 1));
  const [shards, whole] = [true, false].map((wanted) =>
    files.filter(([name]) => /-\d+-of-\d+\.\w+$/.test(name) === wanted),
  );
  const list = shards.map(([name, digest]) => `${digest}  ${name}\n`).join("");
  return [...whole.map(([, digest]) => digest), ...(list === "" ? [] : [sha256Hex(list)])];
}
