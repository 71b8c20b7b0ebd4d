/**
 * The synthetic genome with planted signals.
 *
 * @module dart-eval/demo
 */

export { type SyntheticGenome, writeSyntheticGenome } from "./synthetic/write.ts";
