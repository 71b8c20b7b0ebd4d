import type { Split } from "../dna/genome/chromosome-split.ts";
import type { Model, Protocol } from "../models/model.ts";
import { planRun } from "./runs/plan.ts";
import { type CellResult, cellResult, measureCell } from "./runs/result.ts";
import { type OnProgress, runCell } from "./runs/run-cell.ts";
import type { Setting } from "./settings/setting.ts";
import type { Prediction, Predictions } from "./tasks/prediction.ts";
import type { Recipe } from "./tasks/recipe.ts";
import type { Task, TaskInputs } from "./tasks/task.ts";

/** One cell, asked in memory. What is left out is as in `RunRequest`. */
export interface EvaluateOptions {
  readonly task: string | Task;
  readonly inputs: TaskInputs;
  readonly model: Model;
  readonly setting?: string | Setting;
  readonly protocol?: Protocol;
  readonly seed?: number;
  readonly split?: Split;
  readonly limit?: number;
  readonly batchSize?: number;
  /** Values in place of those of the setting's recipe, by name. */
  readonly recipe?: Recipe;
  /** Trained weights to evaluate in place of training: a file or a folder, as `RunRequest` takes it. */
  readonly weights?: string;
  /** A folder for embeddings of sequences, to be used again; without it they are kept for this evaluation alone. */
  readonly embeddings?: string;
  /** A folder for what is trained, to be used again; without it that is kept for this evaluation alone. */
  readonly trained?: string;
  readonly onProgress?: OnProgress;
  /** Aborting makes `evaluate` reject with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A cell's result with the answers it was computed from, in row order. */
export interface Evaluation extends CellResult {
  readonly predictions: readonly Prediction[];
}

/**
 * Evaluates one model on one task without a folder: the numbers are those that a run into a folder would give, but
 * nothing is kept and nothing resumed.
 *
 *     const genome = await openGenome("hg38.fa.gz");
 *     const elements = await readRegulatoryElements("elements.tsv");
 *     const { metrics } = await evaluate({ task: "regulatory-elements", inputs: { genome, elements }, model });
 *
 * @throws {InputError} as `planRun` does, and when the model gives back something that is not one finite number per sequence
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { task, inputs, model, setting, onProgress, signal, ...rest } = options;
  const plan = await planRun({
    ...rest,
    tasks: [{ task, inputs }],
    models: [model],
    ...(setting === undefined ? {} : { settings: [setting] }),
    timing: false,
  });
  try {
    const planned = plan.cells[0];
    const answers: Prediction[] = [];
    const inMemory = {
      before: new Uint32Array(0),
      async begin() {},
      async append(predictions: Predictions) {
        answers.push(...predictions);
      },
    };
    const run = await runCell(planned, inMemory, {
      folder: undefined,
      trained: plan.trained,
      onProgress,
      signal,
    });
    if (run.stopped) throw signal!.reason;
    const predictions = answers.sort((a, b) => a.row - b.row);
    const measurement = await measureCell(planned.task.task, planned.record, predictions, {
      signal,
      onStage: (stage) => onProgress?.({ kind: "stage", cell: planned.name, ...stage }),
    });
    return { ...cellResult(planned.record, measurement, run.training), predictions };
  } finally {
    await plan.close();
  }
}
