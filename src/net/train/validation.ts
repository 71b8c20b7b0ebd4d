import { InputError } from "../../base/errors.ts";
import type { NdArray } from "../arrays/array.ts";
import type { Sym } from "../graph/sym.ts";
import type { ParameterSource, Program, ProgramOptions } from "../runtime/program.ts";
import { openProgram } from "../runtime/program.ts";
import type { ExampleSource, Feeds } from "./batches.ts";
import { filledBatches, orderOfEpoch } from "./batches.ts";

/** Accumulates the results of one validation pass, batch by batch in file order. */
export interface Tally {
  add(results: Feeds, feeds: Feeds, rows: Int32Array): void;
  /** Columns of `train.log` after `epoch`, in order; the epoch with the smallest `val_loss` is kept. */
  columns(): Readonly<Record<string, number>>;
}

/** Validation after each epoch of a training run. */
export interface Validation {
  readonly data: ExampleSource;
  readonly batchSize: number;
  /** Outputs that the tally needs of each batch, such as logits; built for evaluation, without dropout. */
  readonly outputs: Readonly<Record<string, Sym>>;
  /** A tally for a new pass. */
  tally(): Tally;
}

/** Evaluates a graph with the current values of the trained parameters over all examples of a source. */
export interface ValidationPass {
  run(trained: ReadonlyMap<string, NdArray>, epoch: number): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** Compiles a validation. `trained` names the parameters whose values are given to each pass. */
export async function openValidationPass(
  validation: Validation,
  trained: Iterable<string>,
  frozen: ReadonlyMap<string, ParameterSource> = new Map(),
  options?: ProgramOptions,
): Promise<ValidationPass> {
  const fed = [...trained].map((name) => [name, "fed"] as const);
  const program = await openProgram(validation.outputs, new Map([...frozen, ...fed]), options);
  return {
    run: (values, epoch) => onePass(program, validation, values, epoch),
    close: () => program.close(),
  };
}

/** @throws {InputError} when the validation loss is not a finite number */
async function onePass(
  program: Program,
  { data, batchSize, tally }: Validation,
  trained: ReadonlyMap<string, NdArray>,
  epoch: number,
): Promise<Readonly<Record<string, number>>> {
  const parameters = Object.fromEntries(trained);
  const sums = tally();
  const order = orderOfEpoch({ kind: "file" }, data.examples, epoch);
  for await (const { rows, feeds } of filledBatches(data, order, { batchSize, epoch })) {
    sums.add(await program.run({ ...feeds, ...parameters }), feeds, rows);
  }
  const columns = sums.columns();
  if (!Number.isFinite(columns.val_loss)) {
    throw new InputError(`the validation loss after epoch ${epoch} is ${columns.val_loss}`, {
      hint: "lower the learning rate, or check the data for invalid values",
    });
  }
  return columns;
}
