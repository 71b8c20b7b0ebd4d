import type { NdArray } from "../net/arrays/array.ts";
import { input } from "../net/graph/build.ts";
import type { Dim } from "../net/graph/dim.ts";
import type { Sym } from "../net/graph/sym.ts";
import type { ParameterSource, Program, ProgramOptions } from "../net/runtime/program.ts";
import { openProgram } from "../net/runtime/program.ts";
import type { Architecture, ForwardInput, ReadTensor } from "./architecture.ts";
import type { Batch } from "./queries/collate.ts";

/** Something asked of a model: outputs by name, from its own inputs and from what else the question feeds. */
export interface Question {
  readonly name: string;
  outputs(model: Architecture, input: ForwardInput, tokens: Dim): Readonly<Record<string, Sym>>;
}

/** Most programs kept open at once: a session holds packed copies of the weights. */
const KEPT = 4;

/**
 * The programs of one model, one per question and, where the graph needs it, per number of tokens. All of them read the
 * same weights in place; the least recently used is closed when there are too many.
 */
export class Programs {
  private readonly opened = new Map<string, Promise<Program>>();

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
    question: Question,
    batch: Batch,
    more: Readonly<Record<string, NdArray>> = {},
  ): Promise<Readonly<Record<string, NdArray>>> {
    const program = await this.program(question, batch.ids.shape[1]!);
    return program.run({ ...batch, ...more });
  }

  private async program(question: Question, tokens: number): Promise<Program> {
    const length: Dim = this.architecture.fixedLength ? tokens : "t";
    const key = `${question.name} ${length}`;
    const known = this.opened.get(key);
    const program = known ?? this.open(question, length);
    this.opened.delete(key);
    this.opened.set(key, program);
    const [oldest] = this.opened;
    if (this.opened.size > KEPT && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await (await oldest[1]).close();
    }
    return program;
  }

  private async open(question: Question, length: Dim): Promise<Program> {
    const { architecture } = this;
    const given: ForwardInput = {
      ids: input("ids", "int32", ["b", length]),
      ...(architecture.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
    };
    const derived = typeof length === "number" ? await architecture.derive?.(length, this.read) : undefined;
    const outputs = question.outputs(architecture, given, length);
    return openProgram(outputs, new Map([...this.parameters, ...(derived ?? [])]), this.options);
  }

  async close(): Promise<void> {
    const programs = [...this.opened.values()];
    this.opened.clear();
    for (const program of programs) await (await program).close();
  }
}
