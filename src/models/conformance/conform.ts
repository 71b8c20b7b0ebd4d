import { InputError, reasonOf } from "../../base/errors.ts";
import { type Model, supports } from "../model.ts";
import { type Check, type CheckName, fault, undecided, type Verdict } from "./check.ts";
import { batchOrderCheck, paddingCheck } from "./checks/batching.ts";
import { answersCheck, finiteCheck, repeatableCheck } from "./checks/outputs.ts";
import { causalShiftCheck, kMerOffsetCheck, strandCheck } from "./checks/positions.ts";
import { specialTokensCheck, truncationCheck, unknownLettersCheck } from "./checks/tokenization.ts";
import { ModelProbe } from "./model-probe.ts";

/** Options of `conform`. */
export interface ConformOptions {
  /** Relative difference between two scores that is attributed to rounding; default 1e-4. */
  readonly tolerance?: number;
  /** An additional length to test, in bases. */
  readonly longest?: number;
  /** Receives each result as soon as its check is done. */
  readonly onResult?: (result: CheckResult) => void;
  readonly signal?: AbortSignal;
}

/** Result of a check on one kind of output. */
export interface CheckResult extends Verdict {
  readonly name: CheckName;
  readonly of: "log-likelihood" | "embeddings";
  /** Requirement, and name of the fault. */
  readonly requirement: string;
  readonly fault: string;
}

/**
 * Checks a model for common faults of adapters by comparing its outputs: for the same sequence in another
 * batch, for the same batch again, for a sequence with one more base. Faults that change no output are not
 * found, and do not affect the benchmark.
 *
 * @returns one result per check and kind of output, in the order of the checks
 * @throws {InputError} when the model has neither log-likelihoods nor embeddings
 * @throws the signal's reason
 */
export async function conform(model: Model, options: ConformOptions = {}): Promise<readonly CheckResult[]> {
  const { tolerance = 1e-4, longest, onResult, signal } = options;
  const probe = new ModelProbe(model, { tolerance, longest, signal });
  const outputs = [
    ...(supports(model, "logLikelihood") ? [{ of: "log-likelihood", look: "ofLikelihoods" } as const] : []),
    ...(supports(model, "embed") ? [{ of: "embeddings", look: "ofEmbeddings" } as const] : []),
  ];
  if (outputs.length === 0) {
    throw new InputError(
      `the model ${JSON.stringify(model.name)} gives neither log-likelihoods nor embeddings`,
    );
  }
  const results: CheckResult[] = [];
  for (const { of, look } of outputs) {
    const unsound = new Set<CheckName>();
    for (const { name, requirement, fault, prerequisites, [look]: check } of CHECKS) {
      if (check === undefined) continue;
      const without = prerequisites.find((other) => unsound.has(other));
      const verdict =
        without === undefined
          ? await check(probe).catch((error) => failed(error, signal))
          : undecided(`skipped, since ${without} does not hold`);
      // A check may count the interruption as an error of the model.
      signal?.throwIfAborted();
      if (without !== undefined || verdict.verdict === "fault") unsound.add(name);
      const result = { name, of, requirement, fault, ...verdict };
      results.push(result);
      onResult?.(result);
    }
  }
  return results;
}

/** The verdict of a check that the model ended with an error. */
function failed(error: unknown, signal: AbortSignal | undefined): Verdict {
  signal?.throwIfAborted();
  return fault(`the model failed: ${reasonOf(error)}`);
}

/** All checks, each after its prerequisites. */
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
