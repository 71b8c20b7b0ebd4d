import type { Model, Protocol } from "../models/model.ts";
import type { OnProgress } from "./runs/progress.ts";
import type { CellResult } from "./runs/result.ts";
import type { Setting } from "./settings/setting.ts";
import type { Prediction } from "./tasks/prediction.ts";
import type { Split, Task, TaskInputs } from "./tasks/task.ts";

/** One cell, asked in memory. */
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
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Evaluates one model on one task without a folder. */
export declare function evaluate(
  options: EvaluateOptions,
): Promise<CellResult & { readonly predictions: readonly Prediction[] }>;
