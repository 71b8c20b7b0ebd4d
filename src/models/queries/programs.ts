import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { input } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type ConcreteDevice, runsLoopsWell } from "../../net/runtime/device.ts";
import {
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
  workingDevice,
} from "../../net/runtime/program.ts";
import type {
  Architecture,
  ForwardInput,
  QueriedArchitecture,
  ReadTensor,
} from "../language/architecture.ts";
import type { LanguageModelCard } from "../language/card.ts";
import type { Batch } from "../language/collate.ts";

/** Something asked of a model: outputs by name, from its own inputs and from what else the question feeds. */
export interface GraphQuery {
  readonly name: string;
  outputs(model: QueriedArchitecture, input: ForwardInput, tokens: Dim): Readonly<Record<string, Sym>>;
}

/** Most programs kept open at once; of a model with large weights one, since each session holds packed copies of them. */
const KEPT = 4;
const LARGE_WEIGHTS = 4e8;

function programsKept({ tensors }: Architecture): number {
  const values = tensors
    .filter(({ hostOnly }) => !hostOnly)
    .reduce((sum, { shape }) => sum + shape.reduce((count, size) => count * size, 1), 0);
  return 4 * values > LARGE_WEIGHTS ? 1 : KEPT;
}

/**
 * The programs of one model, one per question and, where the graph needs it, per number of tokens. All of them read the
 * same weights in place; the least recently used is closed when there are too many.
 */
export class Programs {
  private readonly opened = new Map<string, Promise<Program>>();
  private device: Promise<ConcreteDevice> | undefined;
  /** Where the programs run; known when the first was opened. */
  deviceInUse: ConcreteDevice | undefined;

  constructor(
    private readonly architecture: Architecture,
    private readonly parameters: ReadonlyMap<string, ParameterSource>,
    private readonly read: ReadTensor,
    private readonly options: ProgramOptions,
  ) {}

  /**
   * Runs a question over one rectangle of tokens.
   *
   * @param more  what the question feeds besides, by name
   */
  async run(
    question: GraphQuery,
    batch: Batch,
    more: Readonly<Record<string, NdArray>> = {},
  ): Promise<Readonly<Record<string, NdArray>>> {
    const program = await this.program(question, batch.ids.shape[1]);
    return program.run({ ...batch, ...more });
  }

  private async program(question: GraphQuery, tokens: number): Promise<Program> {
    this.device ??= workingDevice(this.options.device ?? "cpu");
    const device = await this.device;
    this.deviceInUse = device;
    const { fixedLength, recurrent = false } = this.architecture;
    const length: Dim = fixedLength || (recurrent && !runsLoopsWell(device)) ? tokens : "t";
    const key = `${question.name} ${length}`;
    const known = this.opened.get(key);
    const program = known ?? this.open(question, length, device);
    this.opened.delete(key);
    this.opened.set(key, program);
    const [oldest] = this.opened;
    if (this.opened.size > programsKept(this.architecture) && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await (await oldest[1]).close();
    }
    return program;
  }

  private async open(question: GraphQuery, length: Dim, device: ConcreteDevice): Promise<Program> {
    const { architecture } = this;
    const given: ForwardInput = {
      ids: input("ids", "int32", ["b", length]),
      ...(architecture.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
      loops: runsLoopsWell(device),
    };
    const derived = typeof length === "number" ? await architecture.derive?.(length, this.read) : undefined;
    const sources = new Map<string, ParameterSource>([...this.parameters, ...(derived ?? [])]);
    const outputs = question.outputs(architecture, given, length);
    return openProgram(outputs, sources, { ...this.options, device });
  }

  async close(): Promise<void> {
    const programs = [...this.opened.values()];
    this.opened.clear();
    for (const program of await Promise.all(programs)) await program.close();
  }
}

/** What a question over tokens needs of a language model. */
export interface TokenQuery {
  readonly kind: LanguageModelCard["kind"];
  readonly programs: Pick<Programs, "run">;
  readonly tokenizer: Tokenizer;
  readonly architecture: QueriedArchitecture;
}
