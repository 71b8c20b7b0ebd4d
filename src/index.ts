/** Everything for users of `dart-eval`; the same by room: `dart-eval/dna`, `/net`, `/models`, `/evaluation`, `/report`. */

export * from "./base/index.ts";
export * from "./dna/index.ts";
export * from "./evaluation/index.ts";
export * from "./models/index.ts";
export * from "./net/index.ts";
export * from "./report/index.ts";
