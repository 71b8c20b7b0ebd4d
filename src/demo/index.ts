/** Exports of `dart-eval/demo`: the synthetic genome with planted signals. */

export { type SyntheticGenome, writeSyntheticGenome } from "./synthetic/write.ts";
