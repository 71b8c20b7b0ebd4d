import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError, InternalError } from "../../base/errors.ts";
import { clearDeadLock, takeLock } from "../../base/file-lock.ts";
import { stableStringify } from "../../base/json.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import type { NdArray } from "../arrays/array.ts";
import { deviceKind } from "../runtime/device.ts";
import { workingDevice } from "../runtime/program.ts";
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

/** Length and order of a training run. */
export interface FitRecipe {
  readonly epochs: number;
  /** Examples per batch; the last batch of an epoch may be smaller and is kept. */
  readonly batchSize: number;
  readonly order: ExampleOrder;
  /** Early stopping after this many epochs without a smaller validation loss; all epochs run if absent. */
  readonly patience?: number;
}

export interface FitRequest {
  /** Loss, parameters, optimiser and accumulation. */
  readonly step: TrainStepRequest;
  /**
   * Whole batches, or, with `inParts` in `step`, parts that run one after another and whose losses are
   * summed.
   */
  readonly training: ExampleSource<Feeds | readonly BatchPart[]>;
  readonly validation: Validation;
  readonly recipe: FitRecipe;
  /** Folder of `train.log`, `best.safetensors` and, for resuming, `state.safetensors`. */
  readonly folder: string;
  /**
   * Everything that determines the result besides recipe, optimiser and shapes, as plain data: digests of the
   * examples and of the model, seeds.
   */
  readonly identity: unknown;
  /** Metadata of `best.safetensors`, free text by name. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onProgress?: (event: FitEvent) => void;
  /** Stops the run between two batches: the state is written, then the reason of the signal is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Interval in seconds at which the state is written within an epoch; default 600. */
  readonly saveEvery?: number;
}

export interface FitResult {
  readonly history: readonly EpochRecord[];
  /** The first epoch of smallest validation loss. */
  readonly best: EpochRecord;
  /** Trained parameters after that epoch. */
  readonly parameters: ReadonlyMap<string, NdArray>;
}

/**
 * Trains for some epochs, validates after each, and keeps the parameters of the best epoch.
 *
 * A run that was stopped or killed resumes from its last state when called again, bit-identically to an
 * uninterrupted run on the same machine with the same number of threads. A finished run returns its result.
 *
 * @throws {InputError} when a loss is not finite, naming the batch; when the folder contains another training
 *                      run, or one on another device, or a process is using it; when there are no examples,
 *                      or none for an epoch, or a number of the recipe is invalid
 */
export async function fitEpochs(request: FitRequest): Promise<FitResult> {
  checkRecipe(request.recipe);
  checkExamples(request);
  const files = filesOf(request.folder);
  const device = await workingDevice(request.step.program?.device ?? "cpu");
  const of = { identity: identityOf(request), device: deviceKind(device) };
  const before = await readFitState(files.state, of);
  if (before === undefined || !isOver(before.history, request.recipe)) {
    await using _ = await takeLock(files.lock, { signal: request.signal });
    for (const file of [files.state, files.best, files.log]) await removeTemporaryFiles(file);
    // Another process may have continued it in the meantime.
    const found = await readFitState(files.state, of);
    const program = { ...request.step.program, device };
    const step = await openTrainStep({ ...request.step, program });
    try {
      const pass = await openValidationPass(
        request.validation,
        request.step.trained.keys(),
        request.step.frozen,
        program,
      );
      try {
        await new Fitting(request, files, of, step, pass).run(found);
      } finally {
        await pass.close();
      }
    } finally {
      await step.close();
    }
  } else {
    // Left by a process that was killed after its last epoch.
    await clearDeadLock(files.lock);
  }
  const history = (await readFitState(files.state, of))?.history ?? [];
  const best = bestEpoch(history);
  if (best === undefined) throw new InternalError("the training run has no epoch");
  return { history, best, parameters: await readArrays(files.best) };
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
      throw new InputError(`${key} is ${value}; expected a whole number above 0`);
    }
  }
}

function checkExamples({ training, validation }: FitRequest): void {
  if (training.examples === 0) throw new InputError("there are no examples to train on");
  if (validation.data.examples > 0) return;
  throw new InputError("there are no examples to validate on", {
    hint: "the epoch with the smallest validation loss is kept",
  });
}

function identityOf({ step, training, validation, recipe, identity }: FitRequest): string {
  return sha256Hex(
    stableStringify({
      version: 1,
      // The identity covers everything that the function depends on.
      recipe: { ...recipe, order: { ...recipe.order, rows: undefined } },
      identity,
      optimizer: step.optimizer,
      accumulate: step.accumulate ?? 1,
      trained: [...step.trained].map(([name, { shape }]) => [name, [...shape]]),
      examples: [training.examples, validation.data.examples],
    }),
  );
}

/** True after the last epoch, or after `patience` epochs without improvement. */
function isOver(history: readonly EpochRecord[], { epochs, patience }: FitRecipe): boolean {
  const best = bestEpoch(history);
  const last = history.at(-1);
  if (best === undefined || last === undefined) return false;
  return history.length >= epochs || (patience !== undefined && last.epoch - best.epoch >= patience);
}

class Fitting {
  private history: readonly EpochRecord[] = [];
  private saved = performance.now();
  /** Examples seen by this process, for its speed. */
  private seen = 0;
  private validationSeconds = 0;
  private trainSeconds = 0;

  constructor(
    private readonly request: FitRequest,
    private readonly files: ReturnType<typeof filesOf>,
    private readonly of: Pick<FitState, "identity" | "device">,
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

  /**
   * Trains on the batches of an epoch, from batch `from` on. Returns the mean loss per example of the whole
   * epoch.
   */
  private async trainEpoch(epoch: number, from: number, sumBefore: number): Promise<number> {
    const { training, recipe, signal, saveEvery = 600 } = this.request;
    const { batchSize } = recipe;
    const order = orderOfEpoch(recipe.order, training.examples, epoch);
    if (order.length === 0) {
      throw new InputError(
        `epoch ${epoch}, counted from 0, sees none of the ${training.examples} training examples`,
        {
          hint: "each epoch sees only a part of the examples; use more examples",
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
      this.report(filled, loss, order.length);
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

  /**
   * Validates and writes all files. If it is killed between two of them, the end of the epoch is recomputed
   * bit-identically.
   */
  private async closeEpoch(epoch: number, trainLoss: number): Promise<void> {
    const start = performance.now();
    const trained = await this.step.parameters();
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
    const { of, history } = this;
    await writeFitState(this.files.state, { ...of, ...place, history, train: await this.step.state() });
    this.saved = performance.now();
  }

  /** @param examples  of this epoch; the other epochs are assumed to be as long */
  private report({ epoch, batch, rows }: FilledBatch<unknown>, loss: number, examples: number): void {
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
