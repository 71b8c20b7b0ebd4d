import { sha256Hex } from "../../base/digest.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { Architecture } from "./architecture.ts";

/** A checkpoint on the Hugging Face hub, pinned. */
export interface PublicCheckpoint {
  /** Short name, unique in the family: "large-1m". */
  readonly preset: string;
  readonly repo: string;
  /** 40 hexadecimal digits; "main" where nobody has recorded which they were. */
  readonly revision: string;
  /** SHA-256 of the weights by file name, where published. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** Contents of config.json: also what `models init` writes. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The one that DART-Eval evaluated. */
  readonly usedByDartEval?: boolean;
}

/** A run of the official code over a real checkpoint, made by somebody else. */
export interface Anchor {
  readonly preset: string;
  /** Tokens fed as one row, nothing added. */
  readonly ids: readonly number[];
  readonly of: string;
  /** Of the last hidden state averaged over all tokens fed. */
  readonly mean?: {
    readonly sum?: number;
    readonly sumOfSquares?: number;
    readonly first: readonly number[];
    readonly last?: readonly number[];
  };
  /** The first values of the first token's state, where published. */
  readonly firstToken?: readonly number[];
  /** The same of other tokens, by their places in the row, 0-based. */
  readonly otherTokens?: Readonly<Record<number, readonly number[]>>;
  /** Largest deviation allowed for one value. */
  readonly tolerance: number;
}

/**
 * Everything the benchmark must know of a family of language models. Adding a family is one such card, one line in the
 * catalogue and one set of golden values.
 */
export interface LanguageModelCard {
  /** Kebab-case: "hyenadna". */
  readonly name: string;
  readonly title: string;
  /** DART-Eval's name of the family, where values of it were published: "NT". */
  readonly publishedAs?: string;
  readonly kind: "causal" | "masked";
  readonly tokens: "one-letter" | "k-mer" | "bpe";
  readonly cite: string;
  readonly licence: string;
  /** True when a config.json is of this family. */
  recognises(config: Readonly<Record<string, unknown>>): boolean;
  /**
   * @param config  contents of config.json
   * @param file    its path, for messages
   * @throws {FormatError} when a size is missing or impossible
   */
  architecture(config: unknown, file: string): Architecture;
  /** @param folder  of the checkpoint, where the tokenizer's own files lie */
  tokenizer(folder: string, config: unknown): Promise<Tokenizer>;
  /**
   * Contents, by name, of the tokenizer's files where they follow from the sizes alone: for untrained checkpoints. Without
   * it, or where it gives none, they must be taken from a published checkpoint.
   */
  tokenizerFiles?(config: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>;
  readonly checkpoints: readonly PublicCheckpoint[];
  /** Sizes without a public checkpoint, for tests and demonstrations; `models init` knows them too. */
  readonly toys: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly anchors: readonly Anchor[];
}

/** What is known of a family's checkpoints, as rows: a file of its own beside each family. */
export type KnownCheckpoints = Pick<LanguageModelCard, "checkpoints" | "toys" | "anchors" | "tokenizerFiles">;

/** `LongSafari/hyenadna-large-1m-seqlen-hf@0a629abf…`: a checkpoint by repository and revision, as results name it. */
export const checkpointName = ({ repo, revision }: Pick<PublicCheckpoint, "repo" | "revision">) =>
  `${repo}@${revision}`;

/**
 * The public checkpoint of a family whose weights a model has, by their digest; undefined for other weights, and for
 * checkpoints whose digests are not published.
 *
 * @param identity  of the model, which holds the digest of its weights
 */
export function checkpointWithWeights(
  { checkpoints }: Pick<LanguageModelCard, "checkpoints">,
  identity: string,
): PublicCheckpoint | undefined {
  return checkpoints.find(({ sha256 = {} }) =>
    weightDigests(sha256).some((digest) => identity.includes(digest)),
  );
}

/** The digests that a checkpoint of these files may report: a single file's own, and of shards that of their list. */
function weightDigests(sha256: Readonly<Record<string, string>>): readonly string[] {
  const files = Object.entries(sha256).sort(([a], [b]) => (a < b ? -1 : 1));
  const [shards, whole] = [true, false].map((wanted) =>
    files.filter(([name]) => /-\d+-of-\d+\.\w+$/.test(name) === wanted),
  );
  const list = shards!.map(([name, digest]) => `${digest}  ${name}\n`).join("");
  return [...whole!.map(([, digest]) => digest), ...(list === "" ? [] : [sha256Hex(list)])];
}
