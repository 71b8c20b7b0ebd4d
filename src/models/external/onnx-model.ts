import { basename } from "node:path";
import { cachedDigest } from "../../base/cached-digest.ts";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { input } from "../../net/graph/build.ts";
import { graphOf } from "../../net/graph/graph.ts";
import { openOnnxFile, readOnnxFile } from "../../net/runtime/onnx-file.ts";
import { openProgram, type Program, type ProgramOptions } from "../../net/runtime/program.ts";
import type { QueriedArchitecture } from "../language/architecture.ts";
import { type Batch, collate, liveValuesPerRow, rowsPerRun } from "../language/collate.ts";
import type { Model } from "../model.ts";
import type { GraphQuery, TokenQuery } from "../queries/programs.ts";
import { TokenModel } from "../queries/token-model.ts";
import { cardPath, cardTokenizer, type OnnxCard, readOnnxCard } from "./onnx-card.ts";
import { checkAgainstCard, OnnxOutputs, type OutputName } from "./onnx-outputs.ts";

/** Bytes beside weights and activations: the runtime, the process, its buffers. */
const FIXED_BYTES = 200e6;

/** Float32 values alive at once per token and column of the states, where the model itself says nothing. */
const LIVE_PER_COLUMN = 20;
/** Of a model that gives no states. */
const USUAL_WIDTH = 512;

/**
 * A language model from an ONNX file of a stranger and the card beside it: `model.onnx` and `model.card.json`. It answers
 * what the outputs allow, likelihoods from logits and embeddings from hidden states, as models of the catalogue do.
 *
 * The model is run once on a short sequence, so that what does not fit is told now.
 *
 * @throws {FormatError} naming the input, output, key or file that is not as the other says
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
  const program = await openOnnxFile(file, options);
  try {
    const outputs = new OnnxOutputs(file, card, program, { fixed, pad: tokenizer.special.pad });
    const maxTokens = Math.min(card.maxTokens ?? Infinity, fixed.tokens ?? Infinity);
    const sizes = await trySizes(outputs, tokenizer, card, { path, maxTokens });
    const architecture = architectureOf(sizes);
    const asked = new OnnxModel(
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
    return answering(asked, sizes);
  } catch (error) {
    await program.close();
    throw error;
  }
}

/** The model with those questions only that its outputs can answer. */
function answering(asked: OnnxModel, { vocabulary, width }: Sizes): Model {
  const { name, identity, kind, tokens, batchSize, scoreRounding } = asked;
  return {
    name,
    identity,
    kind,
    tokens,
    batchSize,
    scoreRounding,
    tokenCount: (sequence) => asked.tokenCount(sequence),
    memory: (size, most) => asked.memory(size, most),
    close: () => asked.close(),
    ...(vocabulary === undefined
      ? {}
      : {
          logLikelihood: (sequences, options) => asked.logLikelihood(sequences, options),
          tokenLogProbabilities: (sequences, options) => asked.tokenLogProbabilities(sequences, options),
          compareAlleles: (pairs, options) => asked.compareAlleles(pairs, options),
        }),
    ...(width === undefined
      ? {}
      : {
          embed: (sequences, options) => asked.embed(sequences, options),
          pool: (sequences, options) => asked.pool(sequences, options),
        }),
  };
}

/** Columns of the outputs, where there are such. */
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
  const wanted = (Object.keys(card.outputs) as OutputName[]).filter(
    (output) => card.outputs[output] !== undefined,
  );
  // Ids that every vocabulary has, since it is not known yet whether the tokenizer is the model's.
  const row = { ids: new Int32Array(Math.min(4, maxTokens)) };
  const { logits, hidden } = await outputs.run(collate([row]), wanted);
  const vocabulary = logits?.shape[2];
  if (vocabulary !== undefined && vocabulary < tokenizer.vocabularySize) {
    throw new FormatError(
      { file: path },
      `the logits have ${vocabulary} columns, and the tokenizer ids up to ${tokenizer.vocabularySize - 1}`,
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

  /** Twice the files, as of any model, the outputs of one run, and a guess at what lies between. */
  memory(batchSize: number, tokens: number): number {
    const { architecture, kind } = this.query;
    const asked = kind === "masked" ? batchSize * tokens : batchSize;
    const rows = Math.min(asked, rowsPerRun(architecture, tokens));
    const answers = batchSize * tokens * this.width;
    return FIXED_BYTES + 2 * this.bytes + 4 * (rows * liveValuesPerRow(architecture, tokens) + answers);
  }

  close(): Promise<void> {
    return this.query.programs.close();
  }
}

/** A model of which only the outputs are seen: the graph of a question begins where the file's ends. */
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
  /** Outputs of the file that the question's graph begins with. */
  readonly wanted: readonly OutputName[];
}

/** Runs the file, and then, on what it gives, a question's own graph. */
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
    question: GraphQuery,
    batch: Batch,
    more: Readonly<Record<string, NdArray>> = {},
  ): Promise<Readonly<Record<string, NdArray>>> {
    const known = this.opened.get(question.name) ?? this.open(question);
    this.opened.set(question.name, known);
    const { program, wanted } = await known;
    return program.run({ ...batch, ...more, ...(await this.outputs.run(batch, wanted)) });
  }

  /** On the processor: it looks a few numbers up. */
  private async open(question: GraphQuery): Promise<OpenedQuery> {
    const ids = input("ids", "int32", ["b", "t"]);
    const results = question.outputs(this.architecture, { ids }, "t");
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
