import { openModel } from "../../../src/models/open-model.ts";

// Scores one sequence with a shipped checkpoint: the smallest run that loads ONNX Runtime. Its own process, so that it can
// be traced, and so that the environment it starts with is the test's.

const model = await openModel("toy:hyenadna", { trainChromosomes: [] });
const scores = await model.logLikelihood!(["ACGTTGCATGTCGCATGATGCATGAGAGCT"], { protocol: "corrected" });
await model.close?.();
process.stdout.write(`${scores[0]} ${process.env.ORT_DISABLE_TELEMETRY}`);
