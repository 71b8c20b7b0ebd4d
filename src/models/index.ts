export { fitKmerMarkov, type KmerMarkov, type KmerMarkovOptions } from "./baselines/kmer-markov.ts";
export type { LanguageModelCard, PublicCheckpoint } from "./card.ts";
export { BASELINES, LANGUAGE_MODELS, languageModelCard } from "./catalogue.ts";
export { type CheckResult, type ConformOptions, conform } from "./conformance/conform.ts";
export { initCheckpoint, presetsOf, type UntrainedModel } from "./init.ts";
export { LanguageModel, type LanguageModelOptions } from "./language-model.ts";
export type { ExpectedRows, Model, Origin, Protocol, QueryOptions, SequenceEmbedding } from "./model.ts";
export { type OpenModelContext, openModel } from "./open-model.ts";
export { type AnchorCheck, verifyModel } from "./verify.ts";
