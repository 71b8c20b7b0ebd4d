import type { TaskStratification } from "../stratification.ts";
import type { StoredVariantFacts } from "./scores.ts";

/** True if a variant is a control, of which tables may lack the effect. */
const isControl = ({ significant }: StoredVariantFacts) => significant === 0;

/** Stratifications of Task 5; composition is that of the model's window. */
export const VARIANTS_STRATA: readonly TaskStratification<StoredVariantFacts>[] = [
  {
    name: "effect-size",
    title: "absolute effect size of QTLs, each stratum against all controls",
    valueOf: (facts) => (isControl(facts) || facts.effect === undefined ? undefined : Math.abs(facts.effect)),
    inEveryStratum: isControl,
  },
  { use: "in-motif" },
  { use: "tss" },
  { use: "ccre-class" },
  { use: "gc", over: "window" },
  { use: "repeats" },
  { use: "chromosome" },
];
