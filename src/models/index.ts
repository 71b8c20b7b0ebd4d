export { fitKmerMarkov, type KmerMarkov, type KmerMarkovOptions } from "./baselines/kmer-markov.ts";
export { type MotifCounts, type MotifCountsOptions, motifCounts } from "./baselines/motif-counts.ts";
export { NETWORKS } from "./baselines/networks.ts";
export type { LanguageModelCard, PublicCheckpoint } from "./card.ts";
export { BASELINES, LANGUAGE_MODELS, languageModelCard } from "./catalogue.ts";
export { Chrombpnet, type ChrombpnetOptions } from "./chrombpnet/chrombpnet.ts";
export type { ProfilePrediction } from "./chrombpnet/predictor.ts";
export { expectedProfile } from "./chrombpnet/profile.ts";
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
export { type InitRequest, initCheckpoint, presetsOf, type UntrainedModel } from "./init.ts";
export { type TokenizerFiles, type TokenizerRequest, tokenizerFilesFor } from "./init-tokenizer.ts";
export { LanguageModel, type LanguageModelOptions } from "./language-model.ts";
export type { ExpectedRows, Model, Origin, Protocol, QueryOptions, SequenceEmbedding } from "./model.ts";
export { type OpenModelContext, openModel } from "./open-model.ts";
export { type PretrainingRecipe, type PretrainingRequest, pretrain } from "./pretraining/pretrain.ts";
export type { SequenceNetwork } from "./sequence-network.ts";
export { type AnchorCheck, verifyModel } from "./verify.ts";
