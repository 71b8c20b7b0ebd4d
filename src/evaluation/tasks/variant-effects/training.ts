import { InputError } from "../../../base/errors.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { chromatinActivity } from "../chromatin-activity/chromatin-activity.ts";
import { ACTIVITY_AB_INITIO, ACTIVITY_FINE_TUNED, ACTIVITY_PROBED } from "../chromatin-activity/recipes.ts";
import type { InputForm, OpenTask, TaskInputs, TaskSetting } from "../task.ts";

/** Task 4's inputs but its genome, under its names. */
const OF_TASK_4 = chromatinActivity.inputs.filter(({ name }) => name !== "genome");

/** The one of them that says more than what trains: a model with one network per cell line predicts with that of this line. */
const CELL_LINE = "cell-line";

/** What settings that answer with what Task 4 trained must be given beside the variants. */
export const TRAINING_INPUTS: readonly InputForm[] = [
  ...OF_TASK_4.map((form): InputForm => {
    const what = `for settings that train${form.name === CELL_LINE ? ", and for a model with one network per cell line" : ""}: ${form.what}`;
    return { ...form, optional: true, what };
  }),
  {
    name: "training-genome",
    optional: true,
    what: "for settings that train: the genome of peaks and signal, where it is not that of the variants, as with the dsQTLs of hg19",
  },
];

/**
 * Task 4 as what trains.
 *
 * @param genome  of the variants; of the training, too, where no other is given
 * @returns       undefined where none of its inputs is given, or only the cell line
 * @throws {InputError} where some of them are, and others are missing or cannot be read
 */
export async function openTraining(inputs: TaskInputs, genome: Genome): Promise<OpenTask | undefined> {
  const given = OF_TASK_4.filter(({ name }) => inputs[name] !== undefined);
  if (given.every(({ name }) => name === CELL_LINE)) return undefined;
  const { peaks } = inputs;
  // DART-Eval's data.h5 holds all of them but the name.
  const whole = typeof peaks === "string" && peaks !== "" && (await isProcessedFile(peaks));
  const missing = OF_TASK_4.filter((form) => !given.includes(form) && !(whole && form.name !== "cell-line"));
  if (missing.length > 0) {
    throw new InputError(
      `variants are scored with what ${chromatinActivity.name} trained, and of its inputs ${missing.map(({ name }) => name).join(", ")} are missing`,
      { hint: missing.map(({ name, what }) => `${name}: ${what}`).join("\n  ") },
    );
  }
  const own = Object.fromEntries(given.map(({ name }) => [name, inputs[name]]));
  return chromatinActivity.open({ ...own, genome: inputs["training-genome"] ?? genome }, { seed: 0 });
}

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
  recipe: { ...ACTIVITY_PROBED.recipe, answered: "bases", answerBatchSize: 256 },
  byProtocol: { paper: { ...ACTIVITY_PROBED.byProtocol?.paper, answered: "tokens" } },
  byFamily: {
    ...ACTIVITY_PROBED.byFamily,
    "gena-lm": { ...ACTIVITY_PROBED.byFamily?.["gena-lm"], answerBatchSize: 128 },
  },
  trainedBy: TRAINED_BY,
};

/** Task 4's language model with LoRA. */
export const VARIANTS_FINE_TUNED: TrainedElsewhere = { ...ACTIVITY_FINE_TUNED, trainedBy: TRAINED_BY };

/** Task 4's network, trained on letters alone. */
export const VARIANTS_AB_INITIO: TrainedElsewhere = { ...ACTIVITY_AB_INITIO, trainedBy: TRAINED_BY };
