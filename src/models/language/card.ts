import { sha256Hex } from "../../base/digest.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { Architecture } from "./architecture.ts";

/** A published checkpoint on the Hugging Face hub. */
export interface PublicCheckpoint {
  /** Short name, unique in the family: "large-1m". */
  readonly preset: string;
  readonly repo: string;
  /**
   * A commit (40 hexadecimal digits), or "main" for checkpoints whose commit is not recorded: only the former
   * are pinned.
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
export interface Anchor {
  readonly preset: string;
  /** Token ids of the row, nothing added. */
  readonly ids: readonly number[];
  /** The sequence, as text. */
  readonly of: string;
  /** Last hidden state, averaged over all tokens. */
  readonly mean?: {
    readonly sum?: number;
    readonly sumOfSquares?: number;
    readonly first: readonly number[];
    readonly last?: readonly number[];
  };
  /** First values of the first token's state, if published. */
  readonly firstToken?: readonly number[];
  /** First values of other tokens' states, by 0-based position. */
  readonly otherTokens?: Readonly<Record<number, readonly number[]>>;
  /** Largest deviation allowed for one value. */
  readonly tolerance: number;
}

/** Facts of a family's published checkpoints that their configurations lack, for tables of models. */
export interface PublishedFacts {
  /** Tokens of 350 bases, special tokens included. */
  readonly tokensOf350: number;
  /** Context that the authors state, in tokens. */
  context(checkpoint: PublicCheckpoint): number;
  /** Sequences of the pretraining. */
  trainedOn(checkpoint: PublicCheckpoint): string;
}

/** Contents of tokenizer files by name, for a configuration; none if they do not follow from it. */
export type TokenizerFilesOf = (
  config: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, string>>;

/** Files for configurations with a vocabulary of this size. */
export const tokenizerFilesOfSize =
  (size: number, files: Readonly<Record<string, string>>): TokenizerFilesOf =>
  ({ vocab_size }) =>
    vocab_size === size ? files : {};

/** A family of language models. Adding one takes a card, a line in the catalogue and golden values. */
export interface LanguageModelCard {
  /** Kebab-case: "hyenadna". */
  readonly name: string;
  readonly title: string;
  /** DART-Eval's name of the family, where values of it were published: "NT". */
  readonly publishedAs?: string;
  readonly kind: "causal" | "masked";
  /** Kind of tokens; "any" if each checkpoint brings its own. */
  readonly tokens: Tokenizer["kind"] | "any";
  /** A small trained model comes with the package, as `toy:NAME`. */
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
  architecture(config: unknown, file: string): Architecture;
  /** Opens the tokenizer in a checkpoint folder. */
  tokenizer(folder: string, config: unknown): Promise<Tokenizer>;
  /**
   * Tokenizer files by name, for untrained checkpoints, if they follow from the sizes. Otherwise they come
   * from a published checkpoint.
   */
  readonly tokenizerFiles?: TokenizerFilesOf;
  readonly checkpoints: readonly PublicCheckpoint[];
  readonly facts?: PublishedFacts;
  /**
   * Configurations without a published checkpoint, for tests and demonstrations; `models init` accepts them
   * too.
   */
  readonly toys: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly anchors: readonly Anchor[];
}

/** An architecture of which anybody may publish checkpoints. */
interface ArchitectureForm
  extends Pick<LanguageModelCard, "name" | "title" | "kind" | "cite" | "architecture" | "tokenizerFiles"> {
  /** Values of `model_type` in config.json. */
  readonly modelTypes: readonly string[];
  /** Configuration of the toy. */
  readonly toy: Readonly<Record<string, unknown>>;
}

/** Card of an architecture whose checkpoints bring their own tokenizers; none of them is listed. */
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
    anchors: [],
  };
}

/** Published checkpoints of a family, in a file of their own in `published-checkpoints/`. */
export type KnownCheckpoints = Pick<
  LanguageModelCard,
  "checkpoints" | "facts" | "toys" | "anchors" | "tokenizerFiles"
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

/** Digests of a checkpoint with these files: of a single file, and of the list of shards. */
function weightDigests(sha256: Readonly<Record<string, string>>): readonly string[] {
  const files = Object.entries(sha256).sort(([a], [b]) => (a < b ? -1 : 1));
  const [shards, whole] = [true, false].map((wanted) =>
    files.filter(([name]) => /-\d+-of-\d+\.\w+$/.test(name) === wanted),
  );
  const list = shards!.map(([name, digest]) => `${digest}  ${name}\n`).join("");
  return [...whole!.map(([, digest]) => digest), ...(list === "" ? [] : [sha256Hex(list)])];
}
