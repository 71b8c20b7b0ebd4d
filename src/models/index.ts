/**
 * Checkpoints, likelihoods and embeddings, baselines, ChromBPNet, conformance checks.
 *
 * @module dart-eval/models
 */

export { fitKmerMarkov, type KmerMarkov, type KmerMarkovOptions } from "./baselines/kmer-markov.ts";
export { type MotifCounts, type MotifCountsOptions, motifCounts } from "./baselines/motif-counts.ts";
export { NETWORKS } from "./baselines/networks.ts";
export { type InitRequest, initCheckpoint, presetsOf, type UntrainedModel } from "./checkpoints/init.ts";
export {
  type TokenizerFiles,
  type TokenizerRequest,
  tokenizerFilesFor,
} from "./checkpoints/init-tokenizer.ts";
export { Chrombpnet, type ChrombpnetOptions } from "./chrombpnet/chrombpnet.ts";
export { expectedProfile, type ProfilePrediction } from "./chrombpnet/predictor.ts";
export {
  type ChrombpnetRecipe,
  PUBLISHED_RECIPE as CHROMBPNET_RECIPE,
} from "./chrombpnet/training/recipe.ts";
export {
  type ChrombpnetTraining,
  type TrainedChrombpnet,
  trainChrombpnet,
} from "./chrombpnet/training/train.ts";
export { writeChrombpnet } from "./chrombpnet/write-keras.ts";
export { type CheckResult, type ConformOptions, conform } from "./conformance/conform.ts";
export type {
  Architecture,
  ClassifierHead,
  ForwardInput,
  ForwardOutput,
  Initializer,
} from "./language/architecture.ts";
export type { LanguageModelCard, PublicCheckpoint } from "./language/card.ts";
export { BASELINES, LANGUAGE_MODELS, languageModelCard } from "./language/catalogue.ts";
export { type DeclaredTensor, ParameterTable } from "./language/parameters.ts";
export { LanguageModel, type LanguageModelOptions } from "./language-model.ts";
export {
  type AlleleLogLikelihoods,
  type BuiltNetwork,
  type EmbedOptions,
  type ExpectedRows,
  type Model,
  type ModelQuery,
  type OpenModelContext,
  type Origin,
  type PoolOptions,
  type ProfiledPass,
  type ProfiledPasses,
  type Protocol,
  type QueryOptions,
  type SequenceEmbedding,
  type SequenceNetwork,
  supports,
  type TokenLogProbabilities,
  type TokenOptions,
} from "./model.ts";
export { type OpenedModel, openModel, type Scores } from "./open-model.ts";
export { type PretrainingRecipe, type PretrainingRequest, pretrain } from "./training/pretraining.ts";
export { type ReferenceCheck, verifyModel } from "./verify.ts";
