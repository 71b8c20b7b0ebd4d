/* A program for fit.test.ts: a slow training run in the given folder that prints every batch. */
import { fitEpochs } from "../../../src/net/train/fit.ts";
import { toyExamples, toyFit } from "./toy-fit.ts";

const [folder] = process.argv.slice(2);
await fitEpochs(
  toyFit(folder, {
    training: toyExamples(100, 1, { milliseconds: 4 }),
    // the state is written at about every second batch
    saveEvery: 0.01,
    onProgress: (event) => process.stdout.write(`${event.kind}\n`),
  }),
);
