import type { ModelProbe } from "./model-probe.ts";

/** What a check found out about a model. */
export interface Verdict {
  /** "undecided": it could not be found out, or does not apply. */
  readonly verdict: "holds" | "fault" | "undecided";
  /** What was seen, one sentence. */
  readonly detail: string;
}

export const holds = (detail: string): Verdict => ({ verdict: "holds", detail });
export const fault = (detail: string): Verdict => ({ verdict: "fault", detail });
export const undecided = (detail: string): Verdict => ({ verdict: "undecided", detail });

/** One classic fault, and how it shows in answers alone. */
export interface Check {
  /** Kebab-case, stable. */
  readonly name: CheckName;
  /** What must hold, one sentence. */
  readonly asks: string;
  /** What is wrong when it does not, a few words. */
  readonly fault: string;
  /** Checks without which this one says nothing: when one of them finds a fault, this one is left out. */
  readonly restsOn: readonly CheckName[];
  /** How it shows in log-likelihoods; absent where it cannot. */
  readonly ofLikelihoods?: (asker: ModelProbe) => Promise<Verdict>;
  /** How it shows in token states. */
  readonly ofEmbeddings?: (asker: ModelProbe) => Promise<Verdict>;
}

/** In the order in which they are made: each rests on earlier ones alone. */
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
