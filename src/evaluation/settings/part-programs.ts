import { InternalError } from "../../base/errors.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Sym } from "../../net/graph/sym.ts";
import {
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
} from "../../net/runtime/program.ts";
import type { AnswerPart } from "./learner.ts";

/** Programs kept open: parts of rows that follow each other have mostly the same graphs. */
const KEPT_OPEN = 4;

/** Runs parts of rows, each with its own graph of the same parameters. */
export class PartPrograms {
  /** The least recently used first. */
  private readonly opened = new Map<Sym, Program>();

  constructor(
    private readonly sources: ReadonlyMap<string, ParameterSource>,
    private readonly options: ProgramOptions = {},
  ) {}

  /**
   * Outputs of all sequences of the parts, in their order.
   *
   * @returns  float32 [sequences, outputs]
   */
  async run(parts: readonly AnswerPart[]): Promise<NdArray> {
    const sequences = parts.reduce((count, part) => count + part.sequences.length, 0);
    let all: Float32Array | undefined;
    let outputs = 0;
    for (const { output: graph, sequences: places, feeds } of parts) {
      const program = await this.programOf(graph);
      const { output } = await program.run(feeds);
      if (!(output?.data instanceof Float32Array)) throw new InternalError("a network's outputs are float32");
      outputs = output.data.length / places.length;
      all ??= new Float32Array(sequences * outputs);
      for (const [i, place] of places.entries()) {
        all.set(output.data.subarray(i * outputs, (i + 1) * outputs), place * outputs);
      }
    }
    return { dtype: "float32", shape: [sequences, outputs], data: all ?? new Float32Array(0) };
  }

  private async programOf(graph: Sym): Promise<Program> {
    const found =
      this.opened.get(graph) ?? (await openProgram({ output: graph }, this.sources, this.options));
    this.opened.delete(graph);
    this.opened.set(graph, found);
    const [oldest] = this.opened;
    if (this.opened.size > KEPT_OPEN && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await oldest[1].close();
    }
    return found;
  }

  async close(): Promise<void> {
    const programs = [...this.opened.values()];
    this.opened.clear();
    for (const program of programs) await program.close();
  }
}
