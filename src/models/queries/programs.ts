import { InputError } from "../../base/errors.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { firstNotFinite } from "../../net/arrays/finite.ts";
import { withAttentionInBlocks } from "../../net/graph/attention-blocks.ts";
import { gatherElements, input, logSoftmax, squeeze } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import { halfConstants, peakValues } from "../../net/graph/peak-values.ts";
import { inHalfPrecision, quantised } from "../../net/graph/quantise.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { stateAt } from "../../net/nn/queries.ts";
import { type ConcreteDevice, runsLoopsWell } from "../../net/runtime/device.ts";
import type { Precision, ReducedPrecision } from "../../net/runtime/precision.ts";
import { precisionDevice } from "../../net/runtime/precision-device.ts";
import {
  asStored,
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
} from "../../net/runtime/program.ts";
import type {
  Architecture,
  ForwardInput,
  ForwardOutput,
  QueriedArchitecture,
  ReadTensor,
} from "../language/architecture.ts";
import type { LanguageModelCard } from "../language/card.ts";
import type { Batch } from "../language/collate.ts";

/** A query of a model: named outputs of its graph, computed from the model's inputs and additional inputs. */
export interface GraphQuery {
  readonly name: string;
  outputs(model: QueriedArchitecture, input: ForwardInput, tokens: Dim): Readonly<Record<string, Sym>>;
}

/**
 * Log-probabilities of the inputs `targets`, [b, k], at the input `positions`, [b], of each row: [b, k]. The
 * last layer and the head compute that position alone where the architecture has `forwardAt`.
 */
export function targetLogProbabilities(model: QueriedArchitecture, given: ForwardInput, tokens: Dim): Sym {
  const positions = input("positions", "int32", ["b"]);
  const targets = input("targets", "int32", ["b", "k"]);
  const logits =
    model.forwardAt?.(given, positions, tokens).logits ??
    stateAt(model.forward(given, tokens).logits, positions);
  return gatherElements(logSoftmax(squeeze(logits, 1)), targets, 1);
}

/**
 * Maximum number of open programs; 1 for a model with large weights, because each session has a packed copy
 * of them.
 */
const MAX_OPEN = 4;
const LARGE_WEIGHTS = 4e8;

function programsKept({ tensors }: Architecture): number {
  const values = tensors
    .filter(({ hostOnly }) => !hostOnly)
    .reduce((sum, { shape }) => sum + shape.reduce((count, size) => count * size, 1), 0);
  return 4 * values > LARGE_WEIGHTS ? 1 : MAX_OPEN;
}

/** Tokens of a row above which attention runs in blocks of queries (docs/decisions/0022). */
const LONG = 1024;

/** Options of the programs of a model. */
export interface ModelProgramOptions extends ProgramOptions {
  /** Default "f32". */
  readonly precision?: Precision | undefined;
}

const REWRITES = { f16: inHalfPrecision, int8: quantised } as const;

/** The architecture with the dense layers below its head in a reduced precision. */
export function inPrecision<A extends QueriedArchitecture>(architecture: A, precision: ReducedPrecision): A {
  const { forward, forwardAt } = architecture;
  const converted = ({ hiddenStates, lastHidden, logits }: ForwardOutput): ForwardOutput => {
    const rewritten = REWRITES[precision]([lastHidden], [lastHidden, logits, ...hiddenStates]);
    const [last, scores, ...states] = rewritten;
    return { hiddenStates: states, lastHidden: last, logits: scores };
  };
  return {
    ...architecture,
    forward: (input, tokens) => converted(forward(input, tokens)),
    ...(forwardAt === undefined
      ? {}
      : { forwardAt: (input, positions, tokens) => converted(forwardAt(input, positions, tokens)) }),
  };
}

/** @throws {InputError} when an output is not finite, which float16 explains: its largest value is 65,504 */
export function checkHalfRange(outputs: Readonly<Record<string, NdArray>>): void {
  for (const [name, { dtype, data }] of Object.entries(outputs)) {
    const at = dtype === "float32" ? firstNotFinite(dtype, data) : -1;
    if (at < 0) continue;
    throw new InputError(
      `the model's output "${name}" has ${data[at]} in f16: activations beyond ±65,504 become infinite in float16`,
      { hint: "use --precision f32; finished rows are stored" },
    );
  }
}

/**
 * Programs of one model, one per query and, if the graph requires it, per number of tokens; above 1,024
 * tokens, another one with attention in blocks of queries, on devices that run loops well. All share the
 * mapped weights. When too many are open, the least recently used is closed.
 */
export class Programs {
  private readonly opened = new Map<string, Promise<Program>>();
  /** Graphs whose memory was estimated. */
  private readonly graphs = new Map<string, readonly Sym[]>();
  private device: Promise<ConcreteDevice> | undefined;
  private readonly queried: QueriedArchitecture;
  /** Device of the programs; known after the first is open. */
  deviceInUse: ConcreteDevice | undefined;

  constructor(
    private readonly architecture: Architecture,
    private readonly parameters: ReadonlyMap<string, ParameterSource>,
    private readonly read: ReadTensor,
    private readonly options: ModelProgramOptions,
  ) {
    const { precision = "f32" } = options;
    this.queried = precision === "f32" ? architecture : inPrecision(architecture, precision);
  }

  /**
   * Runs a query on a batch of tokens.
   *
   * @param more  the query's own inputs, by name
   * @throws {InputError} for rows without tokens, if the graph depends on their number, and in f16 for
   *   outputs that are not finite
   */
  async run(
    query: GraphQuery,
    batch: Batch,
    more: Readonly<Record<string, NdArray>> = {},
  ): Promise<Readonly<Record<string, NdArray>>> {
    const program = await this.program(query, batch.ids.shape[1]);
    const outputs = await program.run({ ...batch, ...more });
    if (this.options.precision === "f16") checkHalfRange(outputs);
    return outputs;
  }

  private async program(query: GraphQuery, tokens: number): Promise<Program> {
    this.device ??= this.usedDevice();
    const device = await this.device;
    this.deviceInUse = device;
    const length = this.lengthOf(tokens);
    const key = this.keyOf(query, length, tokens);
    const known = this.opened.get(key);
    const program = known ?? this.open(query, length, tokens, device);
    this.opened.delete(key);
    this.opened.set(key, program);
    program.catch(() => this.opened.delete(key));
    const [oldest] = this.opened;
    if (this.opened.size > programsKept(this.architecture) && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await (await oldest[1]).close();
    }
    return program;
  }

  private usedDevice(): Promise<ConcreteDevice> {
    const { device = "cpu", precision = "f32" } = this.options;
    return precisionDevice(precision, device);
  }

  private async open(
    query: GraphQuery,
    length: Dim,
    tokens: number,
    device: ConcreteDevice,
  ): Promise<Program> {
    const { architecture } = this;
    const derived = typeof length === "number" ? await architecture.derive?.(length, this.read) : undefined;
    const sources = new Map<string, ParameterSource>([...this.parameters, ...(derived ?? [])]);
    return openProgram(this.graph(query, length, tokens, device), sources, { ...this.options, device });
  }

  private inBlocks(tokens: number): boolean {
    return this.queried.liveValuesPerPair !== undefined && tokens > LONG;
  }

  private keyOf({ name }: GraphQuery, length: Dim, tokens: number): string {
    return `${name} ${length}${this.inBlocks(tokens) ? " in blocks" : ""}`;
  }

  /** Tokens of a row in the graph: a number if the graph depends on it. */
  private lengthOf(tokens: number): Dim {
    if (!this.architecture.fixedLength) return "t";
    if (tokens > 0) return tokens;
    throw new InputError("the empty sequence has no tokens, and this model has no start token");
  }

  private graph(
    query: GraphQuery,
    length: Dim,
    tokens: number,
    device: ConcreteDevice,
  ): Readonly<Record<string, Sym>> {
    const { architecture } = this;
    const loops = runsLoopsWell(device);
    const given: ForwardInput = {
      ids: input("ids", "int32", ["b", length]),
      ...(architecture.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
      loops,
    };
    const outputs = query.outputs(this.queried, given, length);
    if (!loops || !this.inBlocks(tokens)) return outputs;
    const blocked = withAttentionInBlocks(Object.values(outputs));
    return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, blocked[i]]));
  }

  /**
   * Float32 values alive at once while a query runs on the CPU.
   *
   * @param rows  sequences of this many tokens in one run
   */
  peakValues(query: GraphQuery, rows: number, tokens: number): number {
    // A query's own sizes, such as the number of targets, are small.
    return peakValues(this.estimated(query, tokens), { b: rows, t: tokens, k: 1 });
  }

  /** Values of weights that a query's program holds as float16. */
  halfConstants(query: GraphQuery, tokens: number): number {
    return halfConstants(this.estimated(query, tokens));
  }

  private estimated(query: GraphQuery, tokens: number): readonly Sym[] {
    const length = this.lengthOf(tokens);
    const key = this.keyOf(query, length, tokens);
    const graph =
      this.graphs.get(key) ??
      asStored(Object.values(this.graph(query, length, tokens, "cpu")), this.parameters);
    this.graphs.set(key, graph);
    return graph;
  }

  async close(): Promise<void> {
    const programs = [...this.opened.values()];
    this.opened.clear();
    for (const program of await Promise.all(programs)) await program.close();
  }
}

/** The part of a language model that queries use. */
export interface TokenQuery {
  readonly kind: LanguageModelCard["kind"];
  readonly programs: Pick<Programs, "run">;
  readonly tokenizer: Tokenizer;
  readonly architecture: QueriedArchitecture;
}
