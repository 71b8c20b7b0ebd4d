import { basename } from "node:path";
import { cachedDigest, sha256Hex } from "../../base/digest.ts";
import { FormatError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { keysOf } from "../../base/record.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { input } from "../../net/graph/build.ts";
import { graphOf } from "../../net/graph/graph.ts";
import { checkOnnxFinite, openOnnxFile, readOnnxFile } from "../../net/runtime/onnx-file.ts";
import { openProgram, type Program, type ProgramOptions } from "../../net/runtime/program.ts";
import { RUNTIME_BYTES } from "../../net/runtime/session-memory.ts";
import type { QueriedArchitecture } from "../language/architecture.ts";
import { type Batch, collate, liveValuesPerRow, rowsPerRun } from "../language/collate.ts";
import type { Model } from "../model.ts";
import type { GraphQuery, TokenQuery } from "../queries/programs.ts";
import { TokenModel } from "../queries/token-model.ts";
import { cardPath, cardTokenizer, type OnnxCard, readOnnxCard } from "./onnx-card.ts";
import { checkAgainstCard, OnnxOutputs, type OutputName } from "./onnx-outputs.ts";

/**
 * Assumed number of float32 values alive at once per token and column of the hidden states, which an ONNX
 * file does not state.
 */
const LIVE_PER_COLUMN = 20;
/** Assumed width of a model without hidden states. */
const USUAL_WIDTH = 512;

/**
 * Opens an ONNX file as a language model, with its card: `model.onnx` and `model.card.json`. It has
 * likelihoods if it outputs logits, and embeddings if it outputs hidden states, computed as for built-in
 * models.
 *
 * The model is run once on a short sequence, so that a mismatch is reported at once.
 *
 * @throws {FormatError} naming the input, output, key or file that does not match, or the first tensor with a
 *                       NaN or an infinity
 */
export async function openOnnxModel(
  path: string,
  { name, ...options }: ProgramOptions & { readonly name?: string } = {},
): Promise<Model> {
  const card = await readOnnxCard(path);
  const file = await readOnnxFile(path);
  const fixed = checkAgainstCard(file, card);
  const { tokenizer, identity } = await cardTokenizer(path, card);
  const digests = await Promise.all(file.files.map((each) => cachedDigest(each)));
  await checkOnnxFinite(file, digests);
  const program = await openOnnxFile(file, options);
  try {
    const outputs = new OnnxOutputs(file, card, program, { fixed, pad: tokenizer.special.pad });
    const maxTokens = Math.min(card.maxTokens ?? Infinity, fixed.tokens ?? Infinity);
    const sizes = await trySizes(outputs, tokenizer, card, { path, maxTokens });
    const architecture = architectureOf(sizes);
    const model = new OnnxModel(
      name ?? card.name ?? basename(path, ".onnx"),
      `onnx ${digests.join(" ")} card ${sha256Hex(stableStringify(card))} tokens ${identity}`,
      {
        query: {
          kind: card.kind,
          programs: new OnnxPrograms(outputs, architecture, options),
          tokenizer,
          architecture,
        },
        maxTokens,
        bytes: file.bytes,
        width: sizes.width ?? 0,
      },
    );
    return withOutputs(model, sizes);
  } catch (error) {
    await program.close();
    throw error;
  }
}

/** The model with the methods for which it has outputs. */
function withOutputs(model: OnnxModel, { vocabulary, width }: Sizes): Model {
  const { name, identity, kind, tokens, batchSize, scoreRounding } = model;
  return {
    name,
    identity,
    kind,
    tokens,
    batchSize,
    scoreRounding,
    tokenCount: (sequence) => model.tokenCount(sequence),
    memory: (size, most, query) => model.memory(size, most, query),
    close: () => model.close(),
    ...(vocabulary === undefined
      ? {}
      : {
          logLikelihood: (sequences, options) => model.logLikelihood(sequences, options),
          tokenLogProbabilities: (sequences, options) => model.tokenLogProbabilities(sequences, options),
          compareAlleles: (pairs, options) => model.compareAlleles(pairs, options),
        }),
    ...(width === undefined
      ? {}
      : {
          embed: (sequences, options) => model.embed(sequences, options),
          pool: (sequences, options) => model.pool(sequences, options),
        }),
  };
}

/** Columns of the outputs; undefined for absent ones. */
interface Sizes {
  readonly vocabulary: number | undefined;
  readonly width: number | undefined;
}

async function trySizes(
  outputs: OnnxOutputs,
  tokenizer: TokenQuery["tokenizer"],
  card: OnnxCard,
  { path, maxTokens }: { readonly path: string; readonly maxTokens: number },
): Promise<Sizes> {
  const wanted = keysOf(card.outputs).filter((output) => card.outputs[output] !== undefined);
  // Token id 0, which every vocabulary has: the tokenizer may not be the model's.
  const row = { ids: new Int32Array(Math.min(4, maxTokens)) };
  const { logits, hidden } = await outputs.run(collate([row]), wanted);
  const vocabulary = logits?.shape[2];
  if (vocabulary !== undefined && vocabulary < tokenizer.vocabularySize) {
    throw new FormatError(
      { file: path },
      `the logits have ${vocabulary} columns, but the tokenizer has ids up to ${tokenizer.vocabularySize - 1}`,
      `is it the tokenizer of this model? ${cardPath(path)} names it`,
    );
  }
  return { vocabulary, width: hidden?.shape[2] };
}

interface Parts {
  readonly query: TokenQuery & { readonly programs: OnnxPrograms };
  readonly maxTokens: number;
  readonly bytes: number;
  readonly width: number;
}

class OnnxModel extends TokenModel {
  protected readonly query: Parts["query"];
  private readonly bytes: number;
  private readonly width: number;

  constructor(name: string, identity: string, { query, maxTokens, bytes, width }: Parts) {
    super(name, identity, maxTokens);
    this.query = query;
    this.bytes = bytes;
    this.width = width;
  }

  /**
   * Estimated bytes of a call: the runtime, twice the files, which are parsed and copied, the outputs of one
   * run, and assumed activations.
   */
  memory(batchSize: number, tokens: number, query?: "likelihood" | "embedding"): number {
    const { architecture, kind } = this.query;
    const scored = kind === "masked" && query !== "embedding" ? batchSize * tokens : batchSize;
    const rows = Math.min(scored, rowsPerRun(architecture, tokens));
    const outputs = batchSize * tokens * this.width;
    return RUNTIME_BYTES + 2 * this.bytes + 4 * (rows * liveValuesPerRow(architecture, tokens) + outputs);
  }

  close(): Promise<void> {
    return this.query.programs.close();
  }
}

/** Architecture for queries, whose graphs start at the outputs of the file. */
function architectureOf({ vocabulary = 0, width = USUAL_WIDTH }: Sizes): QueriedArchitecture {
  const output = (name: OutputName, columns: number) => input(name, "float32", ["b", "t", columns]);
  return {
    vocabulary,
    liveValuesPerToken: LIVE_PER_COLUMN * width + 3 * vocabulary,
    forward: () => ({
      hiddenStates: [],
      lastHidden: output("hidden", width),
      logits: output("logits", vocabulary),
    }),
  };
}

interface OpenedQuery {
  readonly program: Program;
  /** Outputs of the file that the query's graph reads. */
  readonly wanted: readonly OutputName[];
}

/** Runs the file, and on its outputs a query's graph. */
class OnnxPrograms {
  private readonly opened = new Map<string, Promise<OpenedQuery>>();
  private readonly outputs: OnnxOutputs;
  private readonly architecture: QueriedArchitecture;
  private readonly options: ProgramOptions;

  constructor(outputs: OnnxOutputs, architecture: QueriedArchitecture, options: ProgramOptions) {
    this.outputs = outputs;
    this.architecture = architecture;
    this.options = options;
  }

  async run(
    query: GraphQuery,
    batch: Batch,
    more: Readonly<Record<string, NdArray>> = {},
  ): Promise<Readonly<Record<string, NdArray>>> {
    const known = this.opened.get(query.name) ?? this.open(query);
    this.opened.set(query.name, known);
    const { program, wanted } = await known;
    return program.run({ ...batch, ...more, ...(await this.outputs.run(batch, wanted)) });
  }

  /** Always on the CPU: the graph only gathers a few values. */
  private async open(query: GraphQuery): Promise<OpenedQuery> {
    const ids = input("ids", "int32", ["b", "t"]);
    const results = query.outputs(this.architecture, { ids }, "t");
    const inputs = graphOf(results).inputs.map(({ attributes }) => attributes.name);
    const { threads } = this.options;
    const program = await openProgram(results, new Map(), threads === undefined ? {} : { threads });
    return { program, wanted: (["logits", "hidden"] as const).filter((name) => inputs.includes(name)) };
  }

  async close(): Promise<void> {
    for (const { program } of await Promise.all(this.opened.values())) await program.close();
    this.opened.clear();
    await this.outputs.close();
  }
}
