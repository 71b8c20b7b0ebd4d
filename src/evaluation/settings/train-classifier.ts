import { InputError, InternalError } from "../../base/errors.ts";
import { elementCount, type NdArray } from "../../net/arrays/array.ts";
import { input, mul } from "../../net/graph/build.ts";
import { crossEntropy } from "../../net/nn/losses.ts";
import type { ExampleSource, Feeds } from "../../net/train/batches.ts";
import { fitEpochs } from "../../net/train/fit.ts";
import type { EpochRecord, FitEvent } from "../../net/train/fit-record.ts";
import type { Tally, Validation } from "../../net/train/validation.ts";
import type { LogitsPrediction } from "../tasks/prediction.ts";
import { splitPartOf } from "../tasks/split.ts";
import type { ClassificationForm, MeasureContext, SelectedRows } from "../tasks/task.ts";
import type { Classifier, KeptRows } from "./classifier.ts";
import type { SettingContext } from "./setting.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import type { TrainingRecord } from "./training-record.ts";

/** The part of a task that trains and the one that chooses the epoch. */
export interface TrainingRows {
  readonly train: SelectedRows;
  readonly val: SelectedRows;
}

/**
 * The rows that a cell trains with: those of the training and of the validation chromosomes.
 * @throws {InputError} when there are none
 */
export function trainingRows({ task }: SettingContext, recipe: TrainingRecipe): TrainingRows {
  const rows = {
    train: task.select({ split: "train", limit: recipe.trainRows }),
    val: task.select({ split: "val", limit: recipe.valRows }),
  };
  for (const [part, selected] of Object.entries(rows)) {
    if (selected.rows.length > 0) continue;
    const known = [...selected.perChromosome.keys()].filter((chrom) => splitPartOf(chrom) !== undefined);
    throw new InputError(
      `the table of ${task.task.name} has no row on the chromosomes of the ${part} split`,
      {
        hint: `training needs rows of both train and val; of the split's chromosomes the table has ${known.join(", ") || "none"}`,
      },
    );
  }
  return rows;
}

/** How a task's rows are classified. @throws {InternalError} when the task asks no classification in this setting */
export function classificationOf({ task }: SettingContext, setting: string): ClassificationForm {
  const form = task.task.settings[setting]?.classification;
  if (form === undefined)
    throw new InternalError(`${task.task.name} has no classes in the setting ${setting}`);
  return form;
}

export interface ClassifierTraining {
  readonly setting: string;
  readonly recipe: TrainingRecipe;
  readonly classifier: Classifier;
  /** Where head, log and state are kept. */
  readonly folder: string;
}

/**
 * Trains a classifier by a recipe: the loss is the sum over the members of a row of their mean cross-entropies over the
 * batch; after every epoch all validation rows are answered, and the epoch of smallest loss is kept.
 *
 * @throws {InputError} as `fitEpochs` does
 */
export async function trainClassifier(
  context: SettingContext,
  { setting, recipe, classifier, folder }: ClassifierTraining,
): Promise<TrainingRecord> {
  const form = classificationOf(context, setting);
  const rows = trainingRows(context, recipe);
  const members = context.task.task.members.length;
  const kept: Record<"train" | "val", KeptRows> = {
    train: await keep(context, classifier, rows.train, "training"),
    val: await keep(context, classifier, rows.val, "validation"),
  };
  const { logits, trainingLogits = logits, initial, frozen } = classifier;
  const loss = mul(crossEntropy(trainingLogits, input("labels", "int32", ["b"])), members);
  const { weightDecay = 0, accumulate = 1 } = recipe;
  const { history, best, parameters } = await fitEpochs({
    step: {
      loss,
      trained: initial,
      frozen,
      optimizer: { learningRate: recipe.learningRate, weightDecay },
      accumulate,
    },
    training: {
      examples: rows.train.rows.length,
      batch: async (places, place) => ({
        ...(await labelledFeeds(kept.train, places)),
        ...classifier.stepFeeds?.(place),
      }),
    },
    validation: validationOf(context, form, { recipe, rows: kept.val, classifier }),
    recipe: {
      epochs: recipe.epochs,
      batchSize: recipe.batchSize,
      order: recipe.order === "file" ? { kind: "file" } : { kind: "shuffled", seed: recipe.trainingSeed },
      ...(recipe.patience === null ? {} : { patience: recipe.patience }),
    },
    folder,
    identity: identityOf(context, setting, rows),
    onProgress: (event) => tell(context, event, rows.train.rows.length),
    signal: context.signal,
  });
  await classifier.export?.(folder, parameters);
  return {
    trainRows: rows.train.rows.length,
    valRows: rows.val.rows.length,
    parameters: [...parameters.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0),
    best: best.epoch,
    epochs: history.map(({ epoch, trainLoss, validation }) => ({ epoch, trainLoss, validation })),
  };
}

async function keep(
  { onStage }: SettingContext,
  classifier: Classifier,
  { rows }: SelectedRows,
  part: string,
): Promise<KeptRows> {
  const began = performance.now();
  return classifier.keep(rows, (done) =>
    onStage?.({ stage: `${classifier.keeping} the ${part} rows`, ...paceOf(done, rows.length, began) }),
  );
}

/** Speed since the beginning, and what is left at this speed. */
function paceOf(done: number, total: number, began: number) {
  const rate = done / ((performance.now() - began) / 1000);
  const known = Number.isFinite(rate) && rate > 0;
  return {
    done,
    total,
    rowsPerSecond: known ? rate : undefined,
    secondsLeft: known ? (total - done) / rate : undefined,
  };
}

async function labelledFeeds(rows: KeptRows, places: Int32Array): Promise<Feeds> {
  const labels = Int32Array.from([...places].flatMap((place) => rows.examples[place]!.labels));
  return {
    ...(await rows.feeds(places)),
    labels: { dtype: "int32", shape: [labels.length], data: labels },
  };
}

interface ValidationParts {
  readonly recipe: TrainingRecipe;
  readonly rows: KeptRows;
  readonly classifier: Classifier;
}

function validationOf(
  { protocol, seed, recipe: written, onStage }: SettingContext,
  form: ClassificationForm,
  { recipe, rows, classifier }: ValidationParts,
): Validation {
  const total = rows.examples.length;
  let began = performance.now();
  const data: ExampleSource = {
    examples: total,
    batch(places, { epoch, batch }) {
      if (batch === 0) began = performance.now();
      onStage?.({
        stage: validating(epoch),
        ...paceOf(batch * recipe.evaluationBatchSize, total, began),
        secondsLeft: undefined,
      });
      return rows.feeds(places);
    },
  };
  const measured: MeasureContext = { protocol, seed, rowsInTable: total, recipe: written };
  return {
    data,
    batchSize: recipe.evaluationBatchSize,
    outputs: { logits: classifier.logits },
    tally(): Tally {
      const predictions: LogitsPrediction[] = [];
      return {
        add({ logits }, _feeds, places) {
          const examples = [...places].map((place) => rows.examples[place]!);
          predictions.push(...predictionsOf(examples, logits!, form.classes));
        },
        columns: () => form.validate(predictions, measured),
      };
    },
  };
}

/** One prediction per row from logits of its members. [b, classes] */
export function predictionsOf(
  examples: readonly Pick<LogitsPrediction, "row" | "facts">[],
  { data }: NdArray,
  classes: number,
): readonly LogitsPrediction[] {
  const perRow = data.length / examples.length;
  return examples.map(({ row, facts }, i) => ({
    kind: "logits",
    row,
    logits: Array.from({ length: perRow / classes }, (_, member) => {
      const start = i * perRow + member * classes;
      return Array.from(data.slice(start, start + classes) as Float32Array);
    }),
    facts,
  }));
}

/** What decides the trained numbers, beside what `fitEpochs` itself takes into account. */
function identityOf(
  { task, model, protocol, seed, recipe }: SettingContext,
  setting: string,
  rows: TrainingRows,
) {
  const { name, version } = task.task;
  return {
    task: name,
    taskVersion: version,
    setting,
    data: task.digests,
    model: model.identity ?? `name ${model.name}`,
    protocol,
    seed,
    recipe,
    rows: [rows.train.rows, rows.val.rows].map((some) => some.map(({ index }) => index).join(" ")),
  };
}

const validating = (epoch: number) => `validating epoch ${epoch + 1}`;

function tell({ onStage }: SettingContext, event: FitEvent, total: number): void {
  if (onStage === undefined || event.kind === "resumed") return;
  if (event.kind === "epoch") {
    onStage({
      stage: validating(event.record.epoch),
      done: total,
      total,
      rowsPerSecond: undefined,
      secondsLeft: undefined,
      note: epochNote(event.record, event.best),
    });
    return;
  }
  onStage({
    stage: `training, epoch ${event.epoch + 1} of ${event.epochs}`,
    done: Math.round(((event.batch + 1) / event.batches) * total),
    total,
    rowsPerSecond: event.examplesPerSecond,
    secondsLeft: event.secondsLeft,
  });
}

function epochNote({ epoch, trainLoss, validation }: EpochRecord, best: boolean): string {
  const columns = Object.entries({ train_loss: trainLoss, ...validation });
  const numbers = columns.map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ");
  return `epoch ${epoch + 1}: ${numbers}${best ? ", the best so far" : ""}`;
}
