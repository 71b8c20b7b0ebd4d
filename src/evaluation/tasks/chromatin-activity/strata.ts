import type { GenomicStratification } from "../stratification.ts";

/** Stratifications of Task 4; composition is that of the network's window. */
export const ACTIVITY_STRATA: readonly GenomicStratification[] = [
  { use: "gc", over: "window" },
  { use: "tss" },
  { use: "ccre-class" },
  { use: "repeats" },
  { use: "chromosome" },
];
