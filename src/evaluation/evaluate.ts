import type { Split } from "../dna/genome/chromosome-split.ts";
import type { Model, Protocol } from "../models/model.ts";
import type { Device } from "../net/runtime/device.ts";
import type { OnProgress } from "./runs/progress.ts";
import type { CellResult } from "./runs/stored-results.ts";
import type { SettingName } from "./settings/catalogue.ts";
import type { EmbeddingStorage, Setting } from "./settings/setting.ts";
import type { AnyTask, InputsOf, MetricNameOf, NameOr, RowOf } from "./tasks/catalogue.ts";
import type { Metric } from "./tasks/measurement.ts";
import type { Prediction, Predictions, RowFacts } from "./tasks/prediction.ts";
import type { Recipe } from "./tasks/recipe.ts";
import type { Task } from "./tasks/task.ts";

/** One cell to evaluate in memory. Defaults are those of `RunRequest`. */
export interface EvaluateOptions<T extends AnyTask = AnyTask> {
  readonly task: T;
  readonly inputs: InputsOf<T>;
  readonly model: Model;
  /** Default: the task's first. */
  readonly setting?: NameOr<SettingName> | Setting;
  readonly protocol?: Protocol;
  readonly seed?: number;
  /** Bases per sequence, for tasks whose windows can be widened; default: the task's window. */
  readonly context?: number;
  readonly split?: Split;
  readonly limit?: number;
  readonly batchSize?: number;
  /** Device of training and of trained networks, as in `RunRequest`. */
  readonly device?: Device;
  /** Overrides of the setting's recipe. */
  readonly recipe?: Recipe;
  /** Trained weights to evaluate instead of training: a file or a folder, as in `RunRequest`. */
  readonly weights?: string;
  /** Storage of probing embeddings, or a folder that later evaluations reuse; see `RunRequest.embeddings`. */
  readonly embeddings?: NameOr<EmbeddingStorage>;
  /** Folder of training runs that later evaluations reuse. Default: in memory. */
  readonly trained?: string;
  readonly onProgress?: OnProgress;
  /** Aborting rejects `evaluate` with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A cell's result with its predictions in row order. */
export interface Evaluation<MetricName extends string = string, Row extends RowFacts = RowFacts>
  extends CellResult {
  readonly metrics: readonly Metric<MetricName>[];
  readonly predictions: readonly Prediction<Row>[];
}

/**
 * Evaluates one model on one task in memory. The numbers are those of a run into a folder. Tasks and settings
 * are loaded with the first call.
 *
 *     const genome = await openGenome("hg38.fa.gz");
 *     const elements = await readRegulatoryElements("elements.tsv");
 *     const inputs = { genome, elements };
 *     const { metrics } = await evaluate({ task: "regulatory-elements", inputs, model });
 *
 * @throws {InputError} as `planRun` does, and when the model does not return one finite number per sequence
 */
export async function evaluate<const T extends AnyTask>(
  options: EvaluateOptions<T>,
): Promise<Evaluation<MetricNameOf<T>, RowOf<T>>>;
export async function evaluate(options: EvaluateOptions<Task>): Promise<Evaluation> {
  const { planRun } = await import("./runs/plan.ts");
  const { checkPrecision } = await import("./runs/precision-check.ts");
  const { runCell } = await import("./runs/run-shard.ts");
  const { cellResult, measureCell } = await import("./runs/merge.ts");
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
    const collected: Prediction[] = [];
    const inMemory = {
      before: new Uint32Array(0),
      finished: false,
      async begin() {},
      async append(predictions: Predictions) {
        collected.push(...predictions);
      },
    };
    const precisionCheck = await checkPrecision(planned, { folder: undefined, onProgress, signal });
    const run = await runCell(planned, inMemory, {
      folder: undefined,
      trained: plan.trained,
      onProgress,
      signal,
    });
    if (run.stopped) throw signal?.reason;
    const predictions = collected.sort((a, b) => a.row - b.row);
    const measurement = await measureCell(planned.task.task, planned.record, predictions, {
      signal,
      onStage: (stage) => onProgress?.({ kind: "stage", cell: planned.name, ...stage }),
    });
    const checks = { training: run.training, precisionCheck };
    return { ...cellResult(planned.record, measurement, checks), predictions };
  } finally {
    await plan.close();
  }
}
