import type { GenomicStratification } from "../stratification.ts";

/** Stratifications of Task 1: kind, composition and place of the element. */
export const ELEMENTS_STRATA: readonly GenomicStratification[] = [
  { use: "ccre-class" },
  { use: "gc" },
  { use: "tss" },
  { use: "repeats" },
  { use: "chromosome" },
];
