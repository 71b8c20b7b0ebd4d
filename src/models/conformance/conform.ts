import { InputError } from "../../base/errors.ts";
import { type Model, supports } from "../model.ts";
import { type Check, type CheckName, fault, undecided, type Verdict } from "./check.ts";
import { batchOrderCheck, paddingCheck } from "./checks/batching.ts";
import { answersCheck, finiteCheck, repeatableCheck } from "./checks/outputs.ts";
import { causalShiftCheck, kMerOffsetCheck, strandCheck } from "./checks/positions.ts";
import { specialTokensCheck, truncationCheck, unknownLettersCheck } from "./checks/tokenization.ts";
import { ModelProbe } from "./model-probe.ts";

/** Options of `conform`. */
export interface ConformOptions {
  /** Difference between two scores that counts as rounding, relative to the larger; default 1e-4. */
  readonly tolerance?: number;
  /** A length, in letters, to be asked for besides the benchmark's windows. */
  readonly longest?: number;
  readonly onResult?: (result: CheckResult) => void;
  readonly signal?: AbortSignal;
}

/** What one check found in the answers to one question. */
export interface CheckResult extends Verdict {
  readonly name: CheckName;
  readonly of: "log-likelihood" | "embeddings";
  /** What was asked, and what is wrong where a fault was found. */
  readonly asks: string;
  readonly fault: string;
}

/**
 * Looks for the classic faults of a model's adapter, by asking it things whose answers are tied to each other: the same
 * sequence in other company, the same question again, a sequence with one letter more. Nothing of the model is known but what
 * it answers, so a fault that changes no answer is not found; and none is one that the benchmark would see.
 *
 * @returns one result per check and question, in the order of the checks
 * @throws {InputError} when the model answers none of the questions
 */
export async function conform(model: Model, options: ConformOptions = {}): Promise<readonly CheckResult[]> {
  const { tolerance = 1e-4, longest, onResult, signal } = options;
  const asker = new ModelProbe(model, { tolerance, longest, signal });
  const questions = [
    ...(supports(model, "logLikelihood") ? [{ of: "log-likelihood", look: "ofLikelihoods" } as const] : []),
    ...(supports(model, "embed") ? [{ of: "embeddings", look: "ofEmbeddings" } as const] : []),
  ];
  if (questions.length === 0) {
    throw new InputError(
      `the model ${JSON.stringify(model.name)} gives neither log-likelihoods nor embeddings`,
    );
  }
  const results: CheckResult[] = [];
  for (const { of, look } of questions) {
    const unsound = new Set<CheckName>();
    for (const { name, asks, fault: what, restsOn, [look]: ask } of CHECKS) {
      if (ask === undefined) continue;
      const without = restsOn.find((other) => unsound.has(other));
      const verdict =
        without === undefined
          ? await ask(asker).catch((error) => unanswered(error, signal))
          : undecided(`not looked at, since ${without} does not hold`);
      if (without !== undefined || verdict.verdict === "fault") unsound.add(name);
      const result = { name, of, asks, fault: what, ...verdict };
      results.push(result);
      onResult?.(result);
    }
  }
  return results;
}

/** A question that has no answer is a fault of its own, whatever was looked for. */
function unanswered(error: unknown, signal: AbortSignal | undefined): Verdict {
  signal?.throwIfAborted();
  return fault(`no answer: ${error instanceof Error ? error.message : String(error)}`);
}

/** Every check, each after those it rests on. */
export const CHECKS: readonly Check[] = [
  answersCheck,
  finiteCheck,
  repeatableCheck,
  batchOrderCheck,
  paddingCheck,
  specialTokensCheck,
  kMerOffsetCheck,
  causalShiftCheck,
  strandCheck,
  unknownLettersCheck,
  truncationCheck,
];
