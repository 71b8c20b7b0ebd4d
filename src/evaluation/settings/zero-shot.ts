import { InputError } from "../../base/errors.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { LikelihoodPrediction } from "../tasks/prediction.ts";
import type { Example, Task } from "../tasks/task.ts";
import { answerAlleles, asksForAlleles, comparisonNote, refusesAlleles } from "./allele-likelihoods.ts";
import { distinct } from "./distinct.ts";
import type { Answerer, Setting, SettingContext } from "./setting.ts";

/**
 * Zero-shot by likelihood: the model scores every sequence of a row as it is, with nothing trained. What the scores
 * are compared with is the task's affair. Where the recipe's score is "alleles", the model says how probable it finds either
 * of two alleles that differ in little.
 */
export const zeroShot: Setting = {
  name: "zero-shot",
  title: "zero-shot likelihood",
  readyAtOnce: true,
  refuses(task: Task, model: Model, protocol: Protocol) {
    if (asksForAlleles(task)) return refusesAlleles(model, protocol);
    if (model.logLikelihood !== undefined) return undefined;
    return "it gives no log-likelihood of a sequence (no `logLikelihood`), which zero-shot asks for";
  },
  // A sequence's likelihood is one number; how two alleles are compared is the protocol's affair.
  sameUnderBothProtocols: (task) => !asksForAlleles(task),
  sequencesPerRow: (task) => task.members.length,
  async open(context) {
    const whole = (examples: readonly Example[]) => answer(context, examples);
    if (!asksForAlleles(context.task.task)) return { answer: whole, async close() {} } satisfies Answerer;
    const note = comparisonNote(context.model);
    if (note !== undefined) context.onNote?.(note);
    return { answer: (examples) => answerAlleles(context, examples, whole), async close() {} };
  },
};

async function answer(
  context: SettingContext,
  examples: readonly Example[],
): Promise<readonly LikelihoodPrediction[]> {
  const { model } = context;
  const { name: task, members } = context.task.task;
  const sequences = examples.flatMap((example) => example.sequences);
  const origins = examples.flatMap(({ row }) => members.map((_, member) => ({ task, row, member })));
  const { first, of } = distinct(model, sequences);
  const scores = new Float64Array(first.length);
  for (let start = 0; start < first.length; start += context.batchSize) {
    const asked = first.slice(start, start + context.batchSize);
    const given = await model.logLikelihood!(
      asked.map((at) => sequences[at]!),
      { protocol: context.protocol, origins: asked.map((at) => origins[at]!) },
    );
    checkCount(model, asked.length, given);
    asked.forEach((at, i) => {
      checkScore(model, given[i], members[at % members.length]!, examples[Math.floor(at / members.length)]!);
      scores[start + i] = given[i]!;
    });
  }
  return examples.map((example, i) => {
    const values = of.slice(i * members.length, (i + 1) * members.length).map((at) => scores[at]!);
    const tokens = model.tokenCount && example.sequences.map((letters) => model.tokenCount!(letters));
    return {
      kind: "likelihood",
      row: example.row,
      values,
      ...(tokens === undefined ? {} : { tokens }),
      facts: example.facts,
    };
  });
}

function checkCount(model: Model, asked: number, given: ArrayLike<number> | null | undefined) {
  if (given?.length === asked) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} was asked for ${asked} log-likelihoods and gave ${given?.length ?? String(given)}`,
    { hint: "logLikelihood(sequences) returns one number per sequence, in their order" },
  );
}

function checkScore(model: Model, score: number | undefined, member: string, { row }: Example) {
  if (typeof score === "number" && Number.isFinite(score)) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} gave ${String(score)} as the log-likelihood of the ${member} of row ${row}`,
    { hint: "a finite number is needed; the rows finished before are kept" },
  );
}
