import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { takeLock } from "../../base/file-lock.ts";
import { stableStringify } from "../../base/json.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import type { NdArray } from "../arrays/array.ts";
import {
  type BatchPart,
  batchCount,
  type ExampleOrder,
  type ExampleSource,
  type Feeds,
  type FilledBatch,
  filledBatches,
  orderOfEpoch,
} from "./batches.ts";
import {
  bestEpoch,
  type EpochRecord,
  type FitEvent,
  type FitState,
  readArrays,
  readFitState,
  trainLog,
  writeArrays,
  writeFitState,
} from "./fit-state.ts";
import { openTrainStep, type TrainStep, type TrainStepRequest } from "./train-step.ts";
import { openValidationPass, type Validation, type ValidationPass } from "./validation.ts";

/** How long and in which order a training sees its examples. */
export interface FitRecipe {
  readonly epochs: number;
  /** Examples per batch; the last batch of an epoch may be smaller and is kept. */
  readonly batchSize: number;
  readonly order: ExampleOrder;
  /** Ends the training after so many epochs without a smaller validation loss; all epochs are seen where it is absent. */
  readonly patience?: number;
}

export interface FitRequest {
  /** Loss, parameters, optimiser and accumulation. */
  readonly step: TrainStepRequest;
  /** Whole batches, or, where the step says `inParts`, parts that are run one after the other and whose losses are summed. */
  readonly training: ExampleSource<Feeds | readonly BatchPart[]>;
  readonly validation: Validation;
  readonly recipe: FitRecipe;
  /** Where the training keeps `train.log`, `best.safetensors` and, to go on from, `state.safetensors`. */
  readonly folder: string;
  /** What decides the result beside recipe, optimiser and shapes, as plain data: digests of the examples and of the model, seeds. */
  readonly identity: unknown;
  /** Texts by name for the header of `best.safetensors`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onProgress?: (event: FitEvent) => void;
  /** Stops the training between two batches: its state is written, then the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Within an epoch the state is written this often, in seconds; 600 where it is absent. */
  readonly saveEvery?: number;
}

export interface FitResult {
  readonly history: readonly EpochRecord[];
  /** The first epoch of smallest validation loss. */
  readonly best: EpochRecord;
  /** The trained parameters after that epoch. */
  readonly parameters: ReadonlyMap<string, NdArray>;
}

/**
 * Trains for some epochs, validates after each, and keeps the parameters of the best.
 *
 * A training that was stopped or killed goes on from the last state it wrote when it is called again, and ends with the same
 * bytes as one that never stopped, on the same machine with the same number of threads. One that has ended gives its result.
 *
 * @throws {InputError} when a loss is not finite, naming the batch; when the folder holds another training, or a process at work on it; when there are no
 *   examples, or none for an epoch, or a number of the recipe is not possible
 */
export async function fitEpochs(request: FitRequest): Promise<FitResult> {
  checkRecipe(request.recipe);
  checkExamples(request);
  const files = filesOf(request.folder);
  const identity = identityOf(request);
  const before = await readFitState(files.state, identity);
  if (before === undefined || !isOver(before.history, request.recipe)) {
    await using _ = await takeLock(files.lock, { signal: request.signal });
    for (const file of [files.state, files.best, files.log]) await removeTemporaryFiles(file);
    // Another process may have gone on with it until now.
    const found = await readFitState(files.state, identity);
    const step = await openTrainStep(request.step);
    try {
      const pass = await openValidationPass(
        request.validation,
        request.step.trained.keys(),
        request.step.frozen,
        request.step.program,
      );
      try {
        await new Fitting(request, files, identity, step, pass).run(found);
      } finally {
        await pass.close();
      }
    } finally {
      await step.close();
    }
  }
  const { history } = (await readFitState(files.state, identity))!;
  return { history, best: bestEpoch(history)!, parameters: await readArrays(files.best) };
}

const isParted = (batch: Feeds | readonly BatchPart[]): batch is readonly BatchPart[] => Array.isArray(batch);

const filesOf = (folder: string) => ({
  log: join(folder, "train.log"),
  best: join(folder, "best.safetensors"),
  state: join(folder, "state.safetensors"),
  lock: join(folder, "lock"),
});

function checkRecipe(recipe: FitRecipe): void {
  for (const key of ["epochs", "batchSize", "patience"] as const) {
    const value = recipe[key];
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      throw new InputError(`${key} is ${value}; a whole number above 0 is expected`);
    }
  }
}

function checkExamples({ training, validation }: FitRequest): void {
  if (training.examples === 0) throw new InputError("there are no examples to train on");
  if (validation.data.examples > 0) return;
  throw new InputError("there are no examples to validate on", {
    hint: "the epoch of smallest loss on them is kept",
  });
}

function identityOf({ step, training, validation, recipe, identity }: FitRequest): string {
  return sha256Hex(
    stableStringify({
      version: 1,
      // A function decides nothing that the identity does not tell.
      recipe: { ...recipe, order: { ...recipe.order, rows: undefined } },
      identity,
      optimizer: step.optimizer,
      accumulate: step.accumulate ?? 1,
      trained: [...step.trained].map(([name, { shape }]) => [name, [...shape]]),
      examples: [training.examples, validation.data.examples],
    }),
  );
}

/** Whether all epochs were seen, or the last ones brought nothing. */
function isOver(history: readonly EpochRecord[], { epochs, patience }: FitRecipe): boolean {
  const best = bestEpoch(history);
  const last = history.at(-1);
  if (best === undefined || last === undefined) return false;
  return history.length >= epochs || (patience !== undefined && last.epoch - best.epoch >= patience);
}

class Fitting {
  private history: readonly EpochRecord[] = [];
  private saved = performance.now();
  /** Seen by this process, for its speed. */
  private seen = 0;
  private validationSeconds = 0;
  private trainSeconds = 0;

  constructor(
    private readonly request: FitRequest,
    private readonly files: ReturnType<typeof filesOf>,
    private readonly identity: string,
    private readonly step: TrainStep,
    private readonly pass: ValidationPass,
  ) {}

  async run(found: FitState | undefined): Promise<void> {
    let { epoch, batch, lossSum } = found ?? { epoch: 0, batch: 0, lossSum: 0 };
    if (found !== undefined) {
      this.history = found.history;
      this.step.restore(found.train);
      this.request.onProgress?.({ kind: "resumed", epoch, batch });
    }
    while (!isOver(this.history, this.request.recipe)) {
      const trainLoss = await this.trainEpoch(epoch, batch, lossSum);
      await this.closeEpoch(epoch, trainLoss);
      epoch++;
      batch = 0;
      lossSum = 0;
    }
  }

  /** The batches of an epoch from one on. Returns the mean loss per example of the whole epoch. */
  private async trainEpoch(epoch: number, from: number, sumBefore: number): Promise<number> {
    const { training, recipe, signal, saveEvery = 600 } = this.request;
    const { batchSize } = recipe;
    const order = orderOfEpoch(recipe.order, training.examples, epoch);
    if (order.length === 0) {
      throw new InputError(
        `epoch ${epoch}, counted from 0, sees none of the ${training.examples} training examples`,
        {
          hint: "an epoch may see a part of the examples alone, and there are too few for each to have some",
        },
      );
    }
    let lossSum = sumBefore;
    let start = performance.now();
    for await (const filled of filledBatches(training, order, { batchSize, epoch, from })) {
      const place = { epoch, batch: filled.batch, lossSum };
      if (signal?.aborted) {
        await this.save(place);
        signal.throwIfAborted();
      }
      if (performance.now() - this.saved > 1000 * saveEvery) await this.save(place);
      const loss = await this.trainBatch(filled);
      lossSum += loss * filled.rows.length;
      this.seen += filled.rows.length;
      const now = performance.now();
      this.trainSeconds += (now - start) / 1000;
      start = now;
      this.tell(filled, loss, order.length);
    }
    await this.step.finishAccumulation();
    return lossSum / order.length;
  }

  private async trainBatch(filled: FilledBatch<Feeds | readonly BatchPart[]>): Promise<number> {
    const { epoch, batch, rows, feeds } = filled;
    try {
      return await this.step.runParts(isParted(feeds) ? feeds : [async () => feeds]);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const from = rows.reduce((a, b) => Math.min(a, b));
      const to = rows.reduce((a, b) => Math.max(a, b));
      throw new InputError(
        `epoch ${epoch}, batch ${batch} (${rows.length} examples between rows ${from} and ${to} of the training data, all counted from 0): ${error.message}`,
        { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error },
      );
    }
  }

  /** Validates and writes everything down. Killed between two of the files, the epoch's end is computed again to the same bytes. */
  private async closeEpoch(epoch: number, trainLoss: number): Promise<void> {
    const start = performance.now();
    const trained = this.step.parameters();
    const record: EpochRecord = { epoch, trainLoss, validation: await this.pass.run(trained, epoch) };
    this.validationSeconds = (performance.now() - start) / 1000;
    this.history = [...this.history, record];
    const best = bestEpoch(this.history) === record;
    if (best) await writeArrays(this.files.best, trained, { ...this.request.metadata, epoch: String(epoch) });
    await writeFileAtomic(this.files.log, trainLog(this.history));
    await this.save({ epoch: epoch + 1, batch: 0, lossSum: 0 });
    this.request.onProgress?.({ kind: "epoch", record, best });
  }

  private async save(place: Pick<FitState, "epoch" | "batch" | "lossSum">): Promise<void> {
    const { identity, history } = this;
    await writeFitState(this.files.state, { identity, ...place, history, train: this.step.state() });
    this.saved = performance.now();
  }

  /** @param examples  of this epoch; the others are taken to be as long */
  private tell({ epoch, batch, rows }: FilledBatch<unknown>, loss: number, examples: number): void {
    const { recipe, onProgress } = this.request;
    if (onProgress === undefined) return;
    const { epochs, batchSize } = recipe;
    const perSecond = this.seen / Math.max(this.trainSeconds, 1e-9);
    const seen = Math.min(batch * batchSize + rows.length, examples);
    const left = (epochs - epoch) * examples - seen;
    onProgress({
      kind: "batch",
      epoch,
      epochs,
      batch,
      batches: batchCount(examples, batchSize),
      examples,
      seen,
      loss,
      examplesPerSecond: perSecond,
      secondsLeft: left / perSecond + (epochs - epoch) * this.validationSeconds,
    });
  }
}
