import { InputError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import {
  type AlleleLogLikelihoods,
  assertHas,
  has,
  type Model,
  type Protocol,
  supports,
} from "../../models/model.ts";
import type { LikelihoodPrediction } from "../tasks/prediction.ts";
import type { Task } from "../tasks/task.ts";
import type { Example } from "../tasks/task-rows.ts";
import { distinct } from "./distinct.ts";
import type { RowPredictor, Setting, SettingContext } from "./setting.ts";

/**
 * Zero-shot by likelihood: log-likelihoods of every sequence of a row, without training. If the recipe's
 * score is "alleles", the model compares two alleles in their context.
 */
export const zeroShot: Setting<"zero-shot"> = {
  name: "zero-shot",
  title: "zero-shot likelihood",
  description: "Zero-shot: the model scores sequences by their likelihoods; nothing is trained.",
  publishedAs: ["zero_shot_likelihood"],
  readyAtOnce: true,
  sumsTokens: true,
  unsupportedReason(task: Task, model: Model, protocol: Protocol) {
    if (comparesAlleles(task)) return whyAllelesUnsupported(model, protocol);
    if (supports(model, "logLikelihood")) return undefined;
    return "it has no log-likelihoods (no `logLikelihood`), which zero-shot requires";
  },
  // Likelihoods of sequences are the same under both protocols, comparisons of alleles are not.
  sameUnderBothProtocols: (task) => !comparesAlleles(task),
  sequencesPerRow: (task) => task.members.length,
  async open(context) {
    const whole = (examples: readonly Example[]) => scoreSequences(context, examples);
    if (!comparesAlleles(context.task.task))
      return { predict: whole, async close() {} } satisfies RowPredictor;
    const note = comparisonNote(context.model);
    if (note !== undefined) context.onNote?.(note);
    return { predict: (examples) => scoreAlleles(context, examples, whole), async close() {} };
  },
};

async function scoreSequences(
  context: SettingContext,
  examples: readonly Example[],
): Promise<readonly LikelihoodPrediction[]> {
  const { model } = context;
  assertHas(model, "logLikelihood");
  const { name: task, members } = context.task.task;
  const sequences = examples.flatMap((example) => example.sequences);
  const { first, of } = distinct(model, sequences);
  const scores = new Float64Array(first.length);
  for (let start = 0; start < first.length; start += context.batchSize) {
    const batch = first.slice(start, start + context.batchSize);
    const given = await model.logLikelihood(
      batch.map((at) => sequences[at]),
      {
        protocol: context.protocol,
        origins: batch.map((at) => {
          const { row } = examples[Math.floor(at / members.length)];
          return { task, row, member: at % members.length };
        }),
      },
    );
    checkCount(model, batch.length, given);
    batch.forEach((at, i) => {
      checkScore(model, given[i], members[at % members.length], examples[Math.floor(at / members.length)]);
      scores[start + i] = given[i];
    });
  }
  return examples.map((example, i) => {
    const values = members.map((_, member) => scores[of[i * members.length + member]]);
    const tokens = has(model, "tokenCount")
      ? example.sequences.map((bases) => model.tokenCount(bases))
      : undefined;
    return {
      kind: "likelihood",
      row: example.row,
      values,
      ...(tokens === undefined ? {} : { tokens }),
      facts: example.facts,
    };
  });
}

function checkCount(model: Model, count: number, given: ArrayLike<number> | null | undefined) {
  if (given?.length === count) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} returned ${given?.length ?? String(given)} log-likelihoods for ${count} sequences`,
    { hint: "logLikelihood(sequences) returns one number per sequence, in their order" },
  );
}

function checkScore(model: Model, score: number | undefined, member: string, { row }: Example) {
  if (typeof score === "number" && Number.isFinite(score)) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} returned ${String(score)} as the log-likelihood of the ${member} of row ${row}`,
    { hint: "expected a finite number; finished rows are stored" },
  );
}

/**
 * Comparison of two alleles. "hidden": log-likelihoods of the differing bases, masked from the model.
 * "windows": log-likelihoods of the two whole windows, a likelihood ratio.
 */
export type AllelesCompared = "hidden" | "windows";

/** True if a task's rows are pairs of alleles in zero-shot. */
function comparesAlleles(task: Task): boolean {
  return task.settings["zero-shot"]?.recipe.score === "alleles";
}

/**
 * "hidden" for models that compare alleles and whose tokens stay in place if one base changes, unlike byte
 * pairs; "windows" for all others.
 */
function comparedBy(model: Model): AllelesCompared {
  return supports(model, "compareAlleles") && model.tokens !== "bpe" ? "hidden" : "windows";
}

/** Reason why a model's likelihoods cannot compare two alleles, one sentence; undefined if they can. */
function whyAllelesUnsupported(model: Model, protocol: Protocol): string | undefined {
  if (protocol === "paper" && model.tokens === "bpe") {
    return "its tokens are byte pairs, which one base can change throughout the window, and the original leaves such models out; under corrected, whole windows are compared";
  }
  if (comparedBy(model) === "hidden" || supports(model, "logLikelihood")) return undefined;
  return "it neither compares alleles (no `compareAlleles`) nor has log-likelihoods (no `logLikelihood`), one of which zero-shot requires";
}

/** Message about the comparison of alleles by whole windows. */
function comparisonNote(model: Model): string | undefined {
  if (comparedBy(model) === "hidden") return undefined;
  return `alleles are compared by the log-likelihoods of their whole windows: ${JSON.stringify(model.name)} does not mask the differing bases`;
}

/**
 * The log-likelihoods of both alleles of each row, nats.
 *
 * Alleles that are not aligned (insertions and deletions) are compared by whole windows for every model,
 * because all bases after them differ.
 *
 * @param whole  computes log-likelihoods of whole windows
 */
async function scoreAlleles(
  context: SettingContext,
  examples: readonly Example[],
  whole: (examples: readonly Example[]) => Promise<readonly LikelihoodPrediction[]>,
): Promise<readonly LikelihoodPrediction[]> {
  const { model } = context;
  const hidden = examples.filter(({ aligned }) => comparedBy(model) === "hidden" && aligned !== false);
  const inWindows = examples.filter((example) => !hidden.includes(example));
  if (inWindows.length > 0 && !supports(model, "logLikelihood")) {
    throw new InputError(
      `row ${inWindows[0].row} is an insertion or deletion, and the model ${JSON.stringify(model.name)} has no log-likelihood of a window`,
      { hint: "leave such variants out for this model" },
    );
  }
  const answers = new Map<number, LikelihoodPrediction>();
  for (const prediction of await compareHidden(context, hidden)) answers.set(prediction.row, prediction);
  for (const prediction of inWindows.length === 0 ? [] : await whole(inWindows)) {
    answers.set(prediction.row, marked(prediction, "windows"));
  }
  return examples.map(({ row }) => valueAt(answers, row));
}

async function compareHidden(
  { model, protocol, batchSize, task, signal }: SettingContext,
  examples: readonly Example[],
): Promise<readonly LikelihoodPrediction[]> {
  if (examples.length === 0) return [];
  assertHas(model, "compareAlleles");
  const predictions: LikelihoodPrediction[] = [];
  const pairsPerCall = Math.max(1, Math.floor(batchSize / 2));
  for (let start = 0; start < examples.length; start += pairsPerCall) {
    signal?.throwIfAborted();
    const batch = examples.slice(start, start + pairsPerCall);
    const given = await model.compareAlleles(
      batch.map(({ sequences }) => [sequences[0], sequences[1]] as const),
      { protocol, origins: batch.map(({ row }) => ({ task: task.task.name, row, member: 0 })) },
    );
    checkPairs(model, batch, given);
    batch.forEach(({ row, facts }, i) => {
      const { first, second } = given[i];
      predictions.push(marked({ kind: "likelihood", row, values: [first, second], facts }, "hidden"));
    });
  }
  return predictions;
}

function marked(prediction: LikelihoodPrediction, compared: AllelesCompared): LikelihoodPrediction {
  return { ...prediction, facts: { ...prediction.facts, compared } };
}

function checkPairs(model: Model, batch: readonly Example[], given: readonly AlleleLogLikelihoods[]) {
  const who = `the model ${JSON.stringify(model.name)}`;
  if (given?.length !== batch.length) {
    throw new InputError(
      `${who} returned ${given?.length ?? String(given)} comparisons for ${batch.length} pairs of alleles`,
      { hint: "compareAlleles(pairs) returns { first, second } per pair, in their order" },
    );
  }
  given.forEach((answer, i) => {
    if (Number.isFinite(answer?.first) && Number.isFinite(answer?.second)) return;
    throw new InputError(
      `${who} returned ${String(answer?.first)} and ${String(answer?.second)} as log-likelihoods of the alleles of row ${batch[i].row}`,
      { hint: "expected finite numbers; finished rows are stored" },
    );
  });
}
