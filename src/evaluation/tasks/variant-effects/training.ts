import { InputError } from "../../../base/errors.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { chromatinActivity } from "../chromatin-activity/chromatin-activity.ts";
import { ACTIVITY_AB_INITIO, ACTIVITY_FINE_TUNED, ACTIVITY_PROBED } from "../chromatin-activity/recipes.ts";
import type { ChromatinActivityInputs } from "../chromatin-activity/rows.ts";
import { BYTE_PAIR_FAMILIES } from "../quirks.ts";
import type { RecipeTable } from "../recipe.ts";
import type { InputForm, OpenTask, TaskSetting } from "../task.ts";

/*
 * Task 5 has no training rows: its trained settings score variants with Task 4's trained models. They share
 * Task 4's recipes, so that the cells of both tasks share one training run.
 */

/** Task 4's inputs for trained settings, with its genome under another name. */
export type TrainingInputs = Partial<Omit<ChromatinActivityInputs, "genome">> & {
  readonly "cell-line"?: string | undefined;
  readonly peaks?: ChromatinActivityInputs["peaks"] | undefined;
  /** Default: the variants' genome. */
  readonly "training-genome"?: string | Genome | undefined;
};

type TrainingInput = Exclude<keyof ChromatinActivityInputs, "genome">;

/** Task 4's inputs without its genome. */
const TASK_4_INPUTS = chromatinActivity.inputs.flatMap(({ name, ...form }) =>
  name === "genome" ? [] : [{ ...form, name }],
);

/**
 * Task 4's input that inference uses too: a model with one network per cell line predicts with that of this
 * line.
 */
const CELL_LINE: TrainingInput = "cell-line";

/** Forms of the training inputs. */
export const TRAINING_INPUTS: readonly (InputForm & { readonly name: keyof TrainingInputs })[] = [
  ...TASK_4_INPUTS.map((form) => {
    const description = `for settings that train${form.name === CELL_LINE ? ", and for a model with one network per cell line" : ""}: ${form.description}`;
    return { ...form, optional: true, description } as const;
  }),
  {
    name: "training-genome",
    optional: true,
    description:
      "for settings that train: the genome of peaks and signal if it differs from the variants', as for the dsQTLs of hg19",
  },
];

/**
 * Opens Task 4 for training.
 *
 * @param genome   the variants'; also the training's unless another is given
 * @param context  bases per sequence, if they are more than the task's window
 * @returns       undefined if none of Task 4's inputs is given, or only the cell line
 * @throws {InputError} when some are given and others are missing or cannot be read
 */
export async function openTraining(
  inputs: TrainingInputs,
  genome: Genome,
  context: number | undefined,
): Promise<OpenTask | undefined> {
  const { peaks, idr, nonpeaks, signal, "cell-line": cellLine } = inputs;
  if ([peaks, idr, nonpeaks, signal].every((input) => input === undefined)) return undefined;
  const exported = typeof peaks === "string" && peaks !== "" && (await isProcessedFile(peaks));
  const missing = TASK_4_INPUTS.filter(
    ({ name }) => inputs[name] === undefined && !(exported && name !== CELL_LINE),
  );
  if (peaks === undefined || cellLine === undefined || missing.length > 0) {
    throw new InputError(
      `variants are scored with models trained for ${chromatinActivity.name}, whose inputs ${missing.map(({ name }) => name).join(", ")} are missing`,
      { hint: missing.map(({ name, description }) => `${name}: ${description}`).join("\n  ") },
    );
  }
  return chromatinActivity.open(
    { peaks, idr, nonpeaks, signal, "cell-line": cellLine, genome: inputs["training-genome"] ?? genome },
    { seed: 0, ...(context === undefined ? {} : { context }) },
  );
}

type TrainedElsewhere = RecipeTable & Pick<TaskSetting, "trainedBy">;

const TRAINED_BY = chromatinActivity.name;

/**
 * Task 4's head. Paper: it reads as many positions of an allele as its batch of `answerBatchSize` rows has
 * tokens (quirks Q4 and Q5). Corrected: it reads every base.
 */
export const VARIANTS_PROBED: TrainedElsewhere = {
  ...ACTIVITY_PROBED,
  recipe: { ...ACTIVITY_PROBED.recipe, answered: "bases", answerBatchSize: 256 },
  byProtocol: { paper: { ...ACTIVITY_PROBED.byProtocol?.paper, answered: "tokens" } },
  byFamily: {
    ...ACTIVITY_PROBED.byFamily,
    "gena-lm": { ...ACTIVITY_PROBED.byFamily?.["gena-lm"], answerBatchSize: 128 },
  },
  scoreQuirks: {
    Q1: ["caduceus"],
    Q3: "all",
    Q4: ["hyenadna", ...BYTE_PAIR_FAMILIES, "nucleotide-transformer"],
    Q5: ["caduceus"],
    Q7: BYTE_PAIR_FAMILIES,
    Q8: BYTE_PAIR_FAMILIES,
    Q10: "all",
    Q32: "all",
  },
  trainedBy: TRAINED_BY,
};

/** Task 4's language model with LoRA. */
export const VARIANTS_FINE_TUNED: TrainedElsewhere = { ...ACTIVITY_FINE_TUNED, trainedBy: TRAINED_BY };

/** Task 4's network, trained from the sequence alone. */
export const VARIANTS_AB_INITIO: TrainedElsewhere = { ...ACTIVITY_AB_INITIO, trainedBy: TRAINED_BY };
