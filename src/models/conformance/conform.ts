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
  /** Relative difference between two scores that is attributed to rounding; default 1e-4. */
  readonly tolerance?: number;
  /** A length in bases to test in addition to the benchmark's windows. */
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
 * Checks a model for the classic faults of adapters, by relations between its outputs: the same sequence in
 * another batch, the same batch again, a sequence with one more base. Only outputs are used, so a fault that
 * changes no output is not found, and would not affect the benchmark either.
 *
 * @returns one result per check and kind of output, in the order of the checks
 * @throws {InputError} when the model has neither log-likelihoods nor embeddings
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
    for (const { name, requirement, fault, restsOn, [look]: check } of CHECKS) {
      if (check === undefined) continue;
      const without = restsOn.find((other) => unsound.has(other));
      const verdict =
        without === undefined
          ? await check(probe).catch((error) => failed(error, signal))
          : undecided(`skipped, since ${without} does not hold`);
      if (without !== undefined || verdict.verdict === "fault") unsound.add(name);
      const result = { name, of, requirement, fault, ...verdict };
      results.push(result);
      onResult?.(result);
    }
  }
  return results;
}

/** An error of the model is a fault, whatever the check looks for. */
function failed(error: unknown, signal: AbortSignal | undefined): Verdict {
  signal?.throwIfAborted();
  return fault(`the model failed: ${error instanceof Error ? error.message : String(error)}`);
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
