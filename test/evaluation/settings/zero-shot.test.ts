import { expect, test } from "vitest";
import { zeroShot } from "../../../src/evaluation/settings/zero-shot.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import type { Model } from "../../../src/models/model.ts";
import { fakeModel, fakeTask, settingContext } from "../fake-task.ts";

const task = await fakeTask().open({}, { seed: 0 });
const { rows } = task.select({ split: "all", purpose: "evaluate", limit: 7 });
const examples = await task.examples(rows.slice());
const open = (model: Model, batchSize = 100) =>
  zeroShot.open(settingContext({ task, model, batchSize, protocol: "paper" }));

test("each member of a row has its own score and tokens, in the task's order", async () => {
  const model: Model = {
    name: "length",
    logLikelihood: (some) => some.map(({ length }, i) => -length - i / 100),
    tokenCount: (bases) => bases.length + 2,
  };
  const predictions = await (await open(model)).predict(examples);
  predictions.forEach((prediction, i) => {
    const length = examples[i].sequences[0].length;
    expect(prediction).toEqual({
      kind: "likelihood",
      row: i,
      values: [-length - (2 * i) / 100, -length - (2 * i + 1) / 100],
      tokens: [length + 2, length + 2],
      facts: { chrom: "chr5" },
    });
  });
});

test("a call has at most the batch size across rows, and gets the protocol", async () => {
  const asked: { count: number; protocol: string }[] = [];
  const model: Model = {
    name: "m",
    logLikelihood(sequences, { protocol }) {
      asked.push({ count: sequences.length, protocol });
      return new Float32Array(sequences.length).fill(-1);
    },
  };
  const predictions = await (await open(model, 5)).predict(examples);
  expect(asked).toEqual([5, 5, 4].map((count) => ({ count, protocol: "paper" })));
  expect(ofKind("likelihood", predictions).every(({ tokens }) => tokens === undefined)).toBe(true);
  expect(await (await open(model)).predict([])).toEqual([]);
});

test("refuses a model without log-likelihoods", () => {
  expect(zeroShot.unsupportedReason(task.task, { name: "m", embed: () => [] }, "corrected")).toContain(
    "logLikelihood",
  );
  expect(zeroShot.unsupportedReason(task.task, fakeModel(), "corrected")).toBeUndefined();
});
