import { expect, test } from "vitest";
import { predicted } from "../../../src/evaluation/settings/predicted.ts";
import type { Example } from "../../../src/evaluation/tasks/task-rows.ts";
import type { Model } from "../../../src/models/model.ts";
import { fakeTask, settingContext } from "../fake-task.ts";

const task = await fakeTask().open({}, { seed: 0 });
const facts = { chrom: "chr5" };
const examples: readonly Example[] = [
  {
    row: 4,
    sequences: ["AACC", "GGTT"],
    codes: [Uint8Array.of(4, 0, 1, 1), Uint8Array.of(2, 2, 3, 3)],
    facts,
  },
  { row: 7, sequences: ["GGTT", "AACC"], facts },
];
const open = (model: Model, batchSize = 100) => predicted.open(settingContext({ task, model, batchSize }));

test("predicts each distinct sequence once, with N for unknown bases", async () => {
  const calls: (readonly string[])[] = [];
  const model: Model = {
    name: "G",
    predictActivity(sequences, { origins }) {
      calls.push(sequences);
      expect(origins).toHaveLength(sequences.length);
      return sequences.map((bases) => bases.split("G").length - 1 + bases.split("N").length / 10);
    },
  };
  const predictions = await (await open(model, 2)).predict(examples);
  expect(calls).toEqual([["NACC", "GGTT"], ["AACC"]]);
  expect(predictions).toEqual([
    { kind: "activity", row: 4, values: [0.2, 2.1], facts },
    { kind: "activity", row: 7, values: [2.1, 0.1], facts },
  ]);
});

test("refuses too few numbers, or one that is not finite, naming the sequence", async () => {
  const few = await open({ name: "m", predictActivity: () => [1] });
  await expect(few.predict(examples)).rejects.toThrow(/returned 1 activities for 3 sequences/);
  const nan = await open({ name: "m", predictActivity: () => [1, Number.NaN, 2] });
  await expect(nan.predict(examples)).rejects.toThrow(/returned NaN as the activity of the \w+ of row 4/);
  expect(predicted.unsupportedReason(task.task, { name: "m", embed: () => [] }, "corrected")).toContain(
    "predictActivity",
  );
});
