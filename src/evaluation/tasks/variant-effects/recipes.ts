import { AB_INITIO, FINE_TUNED, PROBED } from "../chromatin-activity/recipes.ts";
import type { TaskSetting } from "../task.ts";

/*
 * Settings that answer for variants with what Task 4 trained: its recipes, so that both tasks' cells share one training, and
 * what is read of an allele.
 */

type TrainedElsewhere = Pick<TaskSetting, "recipe" | "byProtocol" | "byFamily" | "trainedBy">;

const TRAINED_BY = "chromatin-activity";

/**
 * Task 4's head. Paper: it reads as many positions of an allele as the allele has tokens (quirks Q4 and Q5), of which there
 * are as many as in the longest of so many rows. Corrected: every base.
 */
export const VARIANTS_PROBED: TrainedElsewhere = {
  recipe: { ...PROBED.recipe, answered: "bases", answerBatchSize: 256 },
  byProtocol: { paper: { ...PROBED.byProtocol?.paper, answered: "tokens" } },
  byFamily: { ...PROBED.byFamily, "gena-lm": { ...PROBED.byFamily?.["gena-lm"], answerBatchSize: 128 } },
  trainedBy: TRAINED_BY,
};

/** Task 4's language model with LoRA. */
export const VARIANTS_FINE_TUNED: TrainedElsewhere = { ...FINE_TUNED, trainedBy: TRAINED_BY };

/** Task 4's network, trained on letters alone. */
export const VARIANTS_AB_INITIO: TrainedElsewhere = { ...AB_INITIO, trainedBy: TRAINED_BY };
