/**
 * Evaluation of DNA language models on regulatory DNA: the DART-Eval benchmark as a library.
 *
 * The functions of the most frequent jobs are here, and load the rest of the library with their first call.
 * Each room is a namespace at a path of its own:
 *
 *     import { evaluate, openModel, writeReport } from "dart-eval";
 *     import * as metrics from "dart-eval/metrics";
 *
 * @packageDocumentation
 */

export { InputError } from "./base/errors.ts";
export { version } from "./base/package.ts";
export { openGenome } from "./dna/genome/genome.ts";
export { evaluate } from "./evaluation/evaluate.ts";
export type { Task } from "./evaluation/tasks/task.ts";
export type { Model } from "./models/model.ts";
export { type OpenedModel, openModel } from "./models/open-model.ts";
export { writeReport } from "./report/write-report.ts";
