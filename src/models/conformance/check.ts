import type { ModelProbe } from "./model-probe.ts";

/** Result of a check. */
export interface Verdict {
  /** "undecided": not applicable, or not determined. */
  readonly verdict: "holds" | "fault" | "undecided";
  /** Observation, one sentence. */
  readonly detail: string;
}

export const holds = (detail: string): Verdict => ({ verdict: "holds", detail });
export const fault = (detail: string): Verdict => ({ verdict: "fault", detail });
export const undecided = (detail: string): Verdict => ({ verdict: "undecided", detail });

/** A check for a common fault of adapters, based on the model's outputs. */
export interface Check {
  /** Kebab-case, stable. */
  readonly name: CheckName;
  /** Requirement, one sentence. */
  readonly requirement: string;
  /** Name of the fault, a few words. */
  readonly fault: string;
  /** Prerequisites: this check is skipped if one of them finds a fault. */
  readonly prerequisites: readonly CheckName[];
  /** Detects the fault in log-likelihoods; absent if it cannot be detected there. */
  readonly ofLikelihoods?: (probe: ModelProbe) => Promise<Verdict>;
  /** Detects the fault in token states. */
  readonly ofEmbeddings?: (probe: ModelProbe) => Promise<Verdict>;
}

/** Names of the checks in order of execution. Prerequisites come first. */
export const CHECK_NAMES = [
  "answers",
  "finite",
  "repeatable",
  "batch-order",
  "padding",
  "special-tokens",
  "k-mer-offset",
  "causal-shift",
  "strand",
  "unknown-letters",
  "truncation",
] as const;

export type CheckName = (typeof CHECK_NAMES)[number];
