/**
 * Evaluation of DNA language models on regulatory DNA: the DART-Eval benchmark as a library.
 *
 * One namespace per room, each also at a path of its own: `import { metrics } from "dart-eval"` and
 * `import * as metrics from "dart-eval/metrics"` are the same. The names of the most frequent jobs are here
 * as well.
 *
 *     import { evaluate, metrics, openModel, writeReport } from "dart-eval";
 *
 * @packageDocumentation
 */

export * as base from "./base/index.ts";
export { InputError, version } from "./base/index.ts";
export * as datasets from "./datasets/index.ts";
export * as demo from "./demo/index.ts";
export * as dna from "./dna/index.ts";
export { openGenome } from "./dna/index.ts";
export * as evaluation from "./evaluation/index.ts";
export { evaluate, type Task } from "./evaluation/index.ts";
export * as metrics from "./metrics/index.ts";
export * as models from "./models/index.ts";
export { type Model, type OpenedModel, openModel } from "./models/index.ts";
export * as net from "./net/index.ts";
export * as report from "./report/index.ts";
export { writeReport } from "./report/index.ts";
