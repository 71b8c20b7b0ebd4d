/**
 * Arrays, checkpoints, symbolic graphs, ONNX Runtime and training steps.
 *
 * @module dart-eval/net
 */

export { type DType, type NdArray, ndArray } from "./arrays/array.ts";
export { type Checkpoint, openCheckpoint, type ReadOptions } from "./arrays/checkpoint.ts";
export { widenToFloat32 } from "./arrays/float-conversion.ts";
export { mappableArrays } from "./arrays/mappable-arrays.ts";
export { type ArrayToWrite, writeSafetensors } from "./arrays/safetensors.ts";
export type { StoredArray } from "./arrays/stored-array.ts";
export * as graph from "./graph/build.ts";
export type { Dim, Shape } from "./graph/dim.ts";
export { type Graph, graphOf } from "./graph/graph.ts";
export { GraphError } from "./graph/graph-error.ts";
export { toOnnx } from "./graph/onnx.ts";
export type { ParameterBinding } from "./graph/onnx-messages.ts";
export { printGraph } from "./graph/print.ts";
export { inHalfPrecision, quantised } from "./graph/quantise.ts";
export { named, type Shaped, type Sym } from "./graph/sym.ts";
export { attention, mergeHeads, splitHeads } from "./nn/attention.ts";
export { type Embedding, embed, type Linear, linear } from "./nn/linear.ts";
export { crossEntropy, meanSquaredError } from "./nn/losses.ts";
export { layerNorm, type Norm, rmsNorm } from "./nn/norm.ts";
export { DEVICES, type Device, type ProviderState } from "./runtime/device.ts";
export { devicesHere, onnxRuntimeVersion } from "./runtime/onnx-runtime.ts";
export { PRECISIONS, type Precision, type ReducedPrecision } from "./runtime/precision.ts";
export { openProgram, type ParameterSource, type Program, type ProgramOptions } from "./runtime/program.ts";
export type { AdamOptions } from "./train/adam.ts";
export { openTrainStep, type TrainState, type TrainStep, type TrainStepRequest } from "./train/train-step.ts";
