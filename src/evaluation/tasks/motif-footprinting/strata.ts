import type { TaskStratification } from "../stratification.ts";
import type { FootprintFacts } from "./rows.ts";

/** Stratifications of Task 2. */
export const FOOTPRINTS_STRATA: readonly TaskStratification<FootprintFacts>[] = [
  { use: "tf-family" },
  { name: "tf", title: "transcription factor", valueOf: ({ motif }) => factorOf(motif) },
];

/**
 * Transcription factor in a motif's name of HOCOMOCO: `CTCF` of `CTCF.H12CORE.0.P.B` and of
 * `CTCF_HUMAN.H11MO.0.A`.
 */
const factorOf = (motif: string): string => motif.split(".", 1)[0].replace(/_[A-Z]+$/, "");
