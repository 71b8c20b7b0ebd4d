import type { Sym } from "../../net/graph/sym.ts";
import type { ParameterSource, Program, ProgramOptions } from "../../net/runtime/program.ts";
import { openProgram } from "../../net/runtime/program.ts";
import type { Feeds } from "../../net/train/batches.ts";

/** A direction in which a model is run: what is called again and again. */
export type Pass = (sequences: readonly string[]) => Promise<unknown>;

/** What can be run of a model to learn what it costs. */
export interface Passes {
  /** Numbers of all parameters, the classifier's among them; undefined where the model does not tell. */
  readonly parameters: number | undefined;
  /** What the forward pass computes, in words. */
  readonly computes: string;
  readonly forward: Pass;
  /** Forward, the sum of the outputs, and its gradient for every parameter; absent where the model is only asked. */
  readonly backward?: Pass;
  /** Bytes that each is expected to take with so many sequences, weights included; undefined where it is not known. */
  memory?(direction: "forward" | "backward", batch: number): number;
  close(): Promise<void>;
}

export interface GraphPass {
  readonly outputs: Readonly<Record<string, Sym>>;
  readonly parameters: ReadonlyMap<string, ParameterSource>;
  feeds(sequences: readonly string[]): Feeds;
}

/** A pass over a graph, whose program is opened at the first call. */
export function graphPass({ outputs, parameters, feeds }: GraphPass, options: ProgramOptions) {
  let program: Promise<Program> | undefined;
  return {
    async run(sequences: readonly string[]): Promise<void> {
      program ??= openProgram(outputs, parameters, options);
      await (await program).run(feeds(sequences));
    },
    async close(): Promise<void> {
      const opened = program;
      program = undefined;
      await (await opened)?.close();
    },
  };
}
