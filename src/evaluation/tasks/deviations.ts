import type { Protocol } from "../../models/model.ts";
import type { Recipe } from "./recipe.ts";

/** What is different for one family of models in one task and setting, and why. */
export interface Deviation {
  readonly task: string;
  readonly setting: string;
  readonly family: string;
  /** Under this protocol only; under both where it is absent. */
  readonly protocol?: Protocol;
  readonly change: Recipe;
  readonly because: string;
}

/** Every exception of the benchmark. */
export const deviations: readonly Deviation[] = [
  {
    task: "regulatory-elements",
    setting: "probed",
    family: "caduceus",
    protocol: "paper",
    change: { positions: "ends", kernel: 3 },
    because:
      "Quirk Q1: the original took the stored range of tokens [0, L] for two token numbers, so its head saw the first base and the end token alone; with two positions a kernel of 8 does not fit.",
  },
  {
    task: "regulatory-elements",
    setting: "fine-tuned",
    family: "caduceus",
    change: { batchSize: 64, accumulate: 2 },
    because: "The original halved the batch and took the optimiser's step every second batch.",
  },
];
