import { expect, test } from "vitest";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { OriginalBatches, sequenceFiles } from "../../../src/evaluation/settings/sequence-files.ts";
import type { OpenTask } from "../../../src/evaluation/tasks/task.ts";
import type { EmbedOptions } from "../../../src/models/model.ts";
import { classifiedTask, embeddingModel } from "../classified-task.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

/** Rows 0 to 49, and how far each of their members is padded in batches of 16. */
async function padded({ tables, lacking = [] }: { tables?: readonly number[]; lacking?: readonly number[] }) {
  const opened = await fakeTask({ rows: 50 }).open({}, { seed: 0 });
  let made = 0;
  const task: OpenTask = {
    ...opened,
    select(of) {
      const selected = opened.select(of);
      const rows = selected.rows.slice().filter((row) => !lacking.includes(row));
      return { ...selected, rows, ...(tables === undefined ? {} : { tables }) };
    },
    examples(rows) {
      made += rows.length;
      return opened.examples(rows);
    },
  };
  const { rows } = task.select({ split: "all", purpose: "evaluate", limit: null });
  const lengths = new Map(
    (await task.examples(rows.slice())).map(({ row, sequences }) => [
      row,
      sequences.map(({ length }) => length + 1),
    ]),
  );
  made = 0;
  const files = sequenceFiles(task);
  const batches = new OriginalBatches(fakeModel(), 16);
  return {
    of: (row: number) =>
      Promise.all(files.map((file, member) => batches.tokensOf(file, file.lineOf(row, member)))),
    longest: (from: number, to: number) =>
      [0, 1].map((member) =>
        Math.max(...[...lengths].flatMap(([row, of]) => (from <= row && row < to ? [of[member]] : []))),
      ),
    made: () => made,
  };
}

test("a row is padded to the longest of its batch of the whole table, member by member", async () => {
  const { of, longest, made } = await padded({});
  expect(await of(0)).toEqual(longest(0, 16));
  expect(await of(31)).toEqual(longest(16, 32));
  expect(await of(49)).toEqual(longest(48, 50));
  await of(48);
  // each batch once, for both members together
  expect(made()).toBe(16 + 16 + 2);
});

test("batches do not span the tables of a task", async () => {
  const { of, longest } = await padded({ tables: [0, 20, 45] });
  expect(await of(17)).toEqual(longest(16, 20));
  expect(await of(20)).toEqual(longest(20, 36));
  expect(await of(44)).toEqual(longest(36, 45));
  expect(await of(49)).toEqual(longest(45, 50));
});

test("missing rows do not change the batches of others", async () => {
  const { of, longest } = await padded({ lacking: [3, 4, 17] });
  expect(await of(15)).toEqual(longest(0, 16));
  expect(await of(16)).toEqual(longest(16, 32));
  expect(await of(32)).toEqual(longest(32, 48));
});

test("paper: a model gets the padding; corrected: no padding", async () => {
  const asked: EmbedOptions[] = [];
  const model = embeddingModel({ perToken: 3 });
  const listening = {
    ...model,
    embed(some: readonly string[], options: EmbedOptions) {
      asked.push(options);
      return model.embed!(some, options);
    },
  };
  for (const protocol of ["paper", "corrected"] as const) {
    asked.length = 0;
    await evaluate({
      task: classifiedTask({ rows: 16 }),
      inputs: {},
      model: listening,
      setting: "probed",
      protocol,
      recipe: { epochs: 1 },
    });
    // The first call only measures the width of the embeddings.
    const padTo = asked.slice(1).map((options) => options.padTo);
    expect(new Set(padTo)).toEqual(new Set([protocol === "paper" ? 9 : undefined]));
  }
});
