import type { TaskName } from "../catalogue.ts";

/** One difference between what the benchmark's scripts do and what its paper describes. */
export interface Quirk {
  /** Stable label: "Q14". The numbers carry no order. */
  readonly label: string;
  readonly title: string;
  /** Tasks and settings concerned, as text. */
  readonly where: string;
  /** Behaviour of the original's scripts. */
  readonly original: string;
  /** Behaviour under `--protocol paper`. */
  readonly paper: string;
  /** Behaviour under `--protocol corrected`. */
  readonly corrected: string;
  /** Consequence for the numbers. */
  readonly effect: string;
  /** Cells in which the two protocols compute different scores because of it; absent if the scores agree. */
  readonly changesScores?: readonly QuirkCells[];
}

/** The product of these lists. Default: all families. */
interface QuirkCells {
  readonly tasks: readonly TaskName[];
  readonly settings: readonly string[];
  readonly families?: readonly string[];
}

export const REPRODUCED = "Reproduced.";
export const SAME = "The same.";
export const NEITHER = "Not reproduced.";

export const ELEMENTS = "regulatory-elements";
export const FOOTPRINTS = "motif-footprinting";
export const CELL_TYPES = "cell-type-elements";
export const ACTIVITY = "chromatin-activity";
export const VARIANTS = "variant-effects";

export const BYTE_PAIRS = ["dnabert2", "gena-lm", "mistral-dna"] as const;
export const ONE_LETTER = ["caduceus", "hyenadna"] as const;
