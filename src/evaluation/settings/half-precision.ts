import { temporaryFolder } from "../../base/folder.ts";
import { crossEntropyOfRows, squaredErrors } from "../../metrics/losses.ts";
import { mean } from "../../metrics/mean.ts";
import type { SequenceEmbedding } from "../../models/model.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { mul } from "../../net/graph/build.ts";
import { openProgram, type ParameterSource } from "../../net/runtime/program.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { fitEpochs } from "../../net/train/fit.ts";
import { pack, unpack } from "../embeddings/packed-embedding.ts";
import type { Metric } from "../tasks/measurement.ts";
import type { Supervision } from "../tasks/task.ts";
import type { Learner, PreparedExample, PreparedRows } from "./learner.ts";
import type { SettingContext } from "./setting.ts";
import { lossOf, outputsOf, outputValues, predictionsOf } from "./supervision.ts";
import { labelledFeeds, programOptionsOf } from "./train-learner.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import type { StorageCheck, StorageDecision } from "./training-record.ts";
import { trainingFormOf, trainingTaskForm } from "./training-rows.ts";

const EPOCHS = 10;
const BATCH_ROWS = 32;

/** Batches of the head that is trained on the sample. */
export const SAMPLE_BATCHES = { batchSize: BATCH_ROWS, evaluationBatchSize: BATCH_ROWS };

/**
 * Maximum rows sampled from the training rows, and from the validation rows; and maximum bytes of all their
 * embeddings.
 */
const SAMPLE_ROWS = 256;
const SAMPLE_BYTES = 2 ** 30;

type EmbeddingSize = Pick<SequenceEmbedding, "tokens" | "width">;

/** Rows sampled from each part. */
export const sampledRows = (size: EmbeddingSize, members: number): number =>
  Math.max(1, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_BYTES / 2 / rowBytes(size, members))));

/** Bytes of the sample's embeddings. */
export function sampleBytes(
  size: EmbeddingSize,
  members: number,
  { trainRows, valRows }: { readonly trainRows: number; readonly valRows: number },
): number {
  const most = sampledRows(size, members);
  return (Math.min(most, trainRows) + Math.min(most, valRows)) * rowBytes(size, members);
}

const rowBytes = ({ tokens, width }: EmbeddingSize, members: number) => 4 * tokens * width * members;

/**
 * Numbers of rows that the measurement of float16 trains on and validates, counted once per pass, for
 * estimates of its time.
 */
export function precisionCheckRows(trainRows: number, valRows: number) {
  const [train, val] = [Math.min(SAMPLE_ROWS, trainRows), Math.min(SAMPLE_ROWS, valRows)];
  if (Math.min(train, val) < MIN_ROWS) return { train: 0, validate: 0 };
  // The trained head is evaluated in both precisions.
  return { train: EPOCHS * train, validate: (EPOCHS + 2) * val };
}

/** Minimum sampled rows of each part. */
const MIN_ROWS = 32;

/** Tolerance: share of an interval's half-width for changes, of a standard deviation for rounding errors. */
const SHARE = 0.1;

/** Largest allowed state: a quarter of the range of float16, because other rows may have larger states. */
const MAX_STATE = 65_504 / 4;

/** Quantile of a two-sided 95 % interval. */
const Z = 1.959964;

/** Sampled rows with the embeddings of their members, member after member of each row. */
export interface EmbeddedSample {
  readonly examples: readonly PreparedExample[];
  readonly embeddings: readonly SequenceEmbedding[];
}

export interface HalfPrecisionOptions {
  readonly setting: string;
  readonly recipe: TrainingRecipe;
  readonly supervision: Supervision;
  readonly learner: Pick<Learner, "output" | "initial" | "frozen">;
  /** Inputs of the head. */
  readonly feeds: (embeddings: readonly SequenceEmbedding[]) => Feeds;
  readonly train: EmbeddedSample;
  readonly val: EmbeddedSample;
  /** Validation rows of the whole training run. */
  readonly valRows: number;
}

/**
 * Decides whether a training run stores its embeddings as float16. A head is trained on the sampled training
 * rows and evaluated on the sampled validation rows with embeddings in both precisions. float16 is chosen if
 * all of these hold:
 *
 * - every sampled state is at most a quarter of the range of float16;
 * - in every dimension of a state the rounding error (root mean square) is less than a tenth of the standard
 *   deviation over the sampled tokens, so that no information is lost that the sample's head has not learned;
 * - the mean loss changes by less than a tenth of the half-width of its 95 % interval over all validation
 *   rows;
 * - the main metric changes by less than a tenth of the half-width of its 95 % interval over the sample, if
 *   it has one.
 *
 * The loss is continuous: its change is measurable on a sample even if no prediction changes its class.
 */
export async function decidePrecision(
  context: SettingContext,
  question: HalfPrecisionOptions,
): Promise<StorageDecision> {
  const { train, val } = question;
  const fewest = Math.min(train.examples.length, val.examples.length);
  if (fewest < MIN_ROWS) {
    return {
      storedAs: "float32",
      because: `${fewest} sampled rows are too few to measure the effect of float16`,
    };
  }
  const largest = largestState([...train.embeddings, ...val.embeddings]);
  if (largest > MAX_STATE) {
    return {
      storedAs: "float32",
      because: `a sampled state is ${largest.toPrecision(3)}, and float16 ends at 65504`,
    };
  }
  const worst = coarsestDimension(train.embeddings);
  if (worst.error >= SHARE * worst.deviation) {
    return {
      storedAs: "float32",
      because: `float16 rounds dimension ${worst.dimension} of a state by ${worst.error.toPrecision(2)}, and its standard deviation is ${worst.deviation.toPrecision(2)}`,
    };
  }
  const head = await trainHead(context, question);
  const program = await openProgram(
    { output: question.learner.output },
    new Map([...question.learner.frozen, ...head]),
    programOptionsOf(context),
  );
  try {
    const run = async (some: Feeds) => (await program.run(some)).output;
    const full = await outputsFor(question, run, (embedding) => embedding);
    const half = await outputsFor(question, run, (embedding) => unpack(pack(embedding, "float16")));
    return decisionOf(await compared(context, question, full, half));
  } finally {
    await program.close();
  }
}

function largestState(embeddings: readonly SequenceEmbedding[]): number {
  let largest = 0;
  for (const { states } of embeddings)
    for (const state of states) largest = Math.max(largest, Math.abs(state));
  return largest;
}

/** The dimension of a state whose rounding error is largest in proportion to its standard deviation. */
function coarsestDimension(embeddings: readonly SequenceEmbedding[]) {
  const { width } = embeddings[0];
  const sums = new Float64Array(width);
  const squares = new Float64Array(width);
  const errors = new Float64Array(width);
  // Sums are relative to the first state, to avoid cancellation with large means.
  const origin = embeddings[0].states.slice(0, width);
  let tokens = 0;
  for (const embedding of embeddings) {
    const { states } = unpack(pack(embedding, "float16"));
    tokens += embedding.tokens;
    for (let i = 0; i < states.length; i++) {
      const [own, dimension] = [embedding.states[i], i % width];
      const from = own - origin[dimension];
      sums[dimension] += from;
      squares[dimension] += from * from;
      errors[dimension] += (states[i] - own) ** 2;
    }
  }
  let worst = { dimension: 0, error: 0, deviation: 1 };
  for (let dimension = 0; dimension < width; dimension++) {
    const mean = sums[dimension] / tokens;
    const deviation = Math.sqrt(Math.max(0, squares[dimension] / tokens - mean * mean));
    const error = Math.sqrt(errors[dimension] / tokens);
    // A constant dimension has no information to lose.
    if (deviation > 0 && error * worst.deviation > worst.error * deviation)
      worst = { dimension, error, deviation };
  }
  return worst;
}

async function trainHead(
  context: SettingContext,
  { recipe, supervision, learner, train, val, feeds }: HalfPrecisionOptions,
): Promise<ReadonlyMap<string, ParameterSource>> {
  await using folder = await temporaryFolder();
  const kept = { train: keptRows(train, feeds), val: keptRows(val, feeds) };
  const members = train.embeddings.length / train.examples.length;
  const { parameters } = await fitEpochs({
    step: {
      loss: mul(lossOf(supervision, learner.output), members),
      trained: learner.initial,
      frozen: learner.frozen,
      optimizer: { learningRate: recipe.learningRate, weightDecay: 0 },
      program: programOptionsOf(context),
    },
    training: {
      examples: train.examples.length,
      batch: (indices) => labelledFeeds(supervision, kept.train, indices),
    },
    validation: {
      data: { examples: val.examples.length, batch: (indices) => kept.val.feeds(indices) },
      batchSize: BATCH_ROWS,
      outputs: { output: learner.output },
      tally() {
        const losses: number[] = [];
        return {
          add({ output }, _feeds, indices) {
            const labels = [...indices].flatMap((index) => val.examples[index].labels);
            losses.push(...lossesOf(supervision, output, labels));
          },
          columns: () => ({ val_loss: mean(losses) }),
        };
      },
    },
    recipe: {
      epochs: EPOCHS,
      batchSize: Math.min(BATCH_ROWS, recipe.batchSize),
      order: { kind: "shuffled", seed: recipe.trainingSeed },
    },
    folder: folder.path,
    identity: "effect of float16",
    signal: context.signal,
  });
  return parameters;
}

function keptRows(
  { examples, embeddings }: EmbeddedSample,
  feeds: HalfPrecisionOptions["feeds"],
): PreparedRows {
  const members = embeddings.length / examples.length;
  return {
    examples,
    feeds: async (indices) =>
      feeds([...indices].flatMap((index) => embeddings.slice(index * members, (index + 1) * members))),
  };
}

/** Outputs for all sampled validation rows, a batch at a time. @param change  applied to each embedding */
async function outputsFor(
  { val, feeds }: HalfPrecisionOptions,
  run: (feeds: Feeds) => Promise<NdArray>,
  change: (embedding: SequenceEmbedding) => SequenceEmbedding,
): Promise<NdArray> {
  const rows = keptRows(val, (embeddings) => feeds(embeddings.map(change)));
  const values: number[] = [];
  for (let start = 0; start < val.examples.length; start += BATCH_ROWS) {
    const size = Math.min(BATCH_ROWS, val.examples.length - start);
    const output = await run(await rows.feeds(Int32Array.from({ length: size }, (_, i) => start + i)));
    values.push(...outputValues(output));
  }
  const sequences = val.embeddings.length;
  return {
    dtype: "float32",
    shape: [sequences, values.length / sequences],
    data: Float32Array.from(values),
  };
}

/** Loss of each sequence. */
function lossesOf(supervision: Supervision, output: NdArray, labels: readonly number[]): Float64Array {
  const values = outputValues(output);
  if (supervision.loss === "squared-error") return squaredErrors(values, labels);
  const columns = outputsOf(supervision);
  return crossEntropyOfRows({ data: Float64Array.from(values), rows: labels.length, columns }, labels);
}

async function compared(
  context: SettingContext,
  { setting, supervision, train, val, valRows }: HalfPrecisionOptions,
  full: NdArray,
  half: NdArray,
): Promise<StorageCheck> {
  const labels = val.examples.flatMap((example) => example.labels);
  const losses = {
    float32: lossesOf(supervision, full, labels),
    float16: lossesOf(supervision, half, labels),
  };
  const centre = mean(losses.float32);
  const variance = mean(losses.float32.map((loss) => (loss - centre) ** 2));
  const members = labels.length / val.examples.length;
  const loss = {
    float32: centre,
    float16: mean(losses.float16),
    halfWidth: Z * Math.sqrt(variance / (valRows * members)),
  };
  const form = trainingFormOf(context, setting);
  const task = trainingTaskForm(context, setting);
  const mainMetric = async (outputs: NdArray) => {
    const predictions = predictionsOf(supervision, val.examples, outputs);
    const { protocol, seed, recipe } = context;
    const measured = { protocol, seed, recipe, rowsInTable: valRows };
    const { metrics } =
      form.measure === undefined
        ? task.measure(predictions, measured)
        : await form.measure(predictions, measured);
    return metrics.find(({ main }) => main);
  };
  const metric = comparedMetric(await mainMetric(full), await mainMetric(half));
  return {
    trainRows: train.examples.length,
    valRows: val.examples.length,
    loss,
    ...(metric === undefined ? {} : { metric }),
  };
}

/** Main metric in both precisions; undefined if the sample is too small for it or its interval. */
function comparedMetric(float32: Metric | undefined, float16: Metric | undefined): StorageCheck["metric"] {
  const [interval] = float32?.intervals ?? [];
  if (interval === undefined) return undefined;
  const [full, half] = [float32?.value ?? null, float16?.value ?? null];
  if (float32 === undefined || full === null || half === null) return undefined;
  return { name: float32.name, float32: full, float16: half, low: interval.low, high: interval.high };
}

function decisionOf(check: StorageCheck): StorageDecision {
  const { loss, metric } = check;
  const parts = [
    partOf("loss", loss.float32, loss.float16, loss.halfWidth),
    ...(metric === undefined
      ? []
      : [partOf(metric.name, metric.float32, metric.float16, (metric.high - metric.low) / 2)]),
  ];
  const storedAs = parts.every(({ small }) => small) ? "float16" : "float32";
  const sample = `${check.trainRows} training and ${check.valRows} validation rows`;
  return {
    storedAs,
    because: `on a sample of ${sample}, float16 changes ${parts.map(({ text }) => text).join(" and ")}`,
    check,
  };
}

function partOf(name: string, float32: number, float16: number, halfWidth: number) {
  const change = Math.abs(float16 - float32);
  return {
    small: change === 0 || change < SHARE * halfWidth,
    text: `${name} from ${float32.toPrecision(5)} to ${float16.toPrecision(5)} (by ${change.toPrecision(2)}, interval ±${halfWidth.toPrecision(2)})`,
  };
}
