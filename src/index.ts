/** Every public name of `dart-eval`; each room also has its own entry point, such as `dart-eval/dna`. */

export * from "./base/index.ts";
export * from "./datasets/index.ts";
export * from "./demo/index.ts";
export * from "./dna/index.ts";
export * from "./evaluation/index.ts";
export * from "./metrics/index.ts";
export * from "./models/index.ts";
export * from "./net/index.ts";
export * from "./report/index.ts";
