import { expect, test } from "vitest";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { OriginalBatches } from "../../../src/evaluation/settings/original-batches.ts";
import type { OpenTask } from "../../../src/evaluation/tasks/task.ts";
import type { EmbedOptions } from "../../../src/models/model.ts";
import { classifiedTask, embeddingModel } from "../classified-task.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

test("a row is padded to the longest of its batch of the whole table, member by member", async () => {
  const task = await fakeTask({ rows: 50 }).open({}, { seed: 0 });
  const examples = await task.examples(task.select({ split: "all", purpose: "answer", limit: null }).rows);
  const lengths = examples.map(({ sequences }) => sequences.map(({ length }) => length + 1));
  const batches = new OriginalBatches(task, fakeModel(), 16);
  const longest = (from: number, to: number) =>
    [0, 1].map((member) => Math.max(...lengths.slice(from, to).map((of) => of[member]!)));
  expect(await batches.tokensOf(0)).toEqual(longest(0, 16));
  expect(await batches.tokensOf(31)).toEqual(longest(16, 32));
  expect(await batches.tokensOf(49)).toEqual(longest(48, 50));
});

test("where a task has several tables, no batch reaches from one into the next", async () => {
  const task = await fakeTask({ rows: 50 }).open({}, { seed: 0 });
  const several: OpenTask = { ...task, select: (of) => ({ ...task.select(of), tables: [0, 20, 45] }) };
  const { rows } = several.select({ split: "all", purpose: "answer", limit: null });
  const lengths = (await task.examples(rows)).map(({ sequences }) =>
    sequences.map(({ length }) => length + 1),
  );
  const batches = new OriginalBatches(several, fakeModel(), 16);
  const longest = (from: number, to: number) =>
    [0, 1].map((member) => Math.max(...lengths.slice(from, to).map((of) => of[member]!)));
  expect(await batches.tokensOf(17)).toEqual(longest(16, 20));
  expect(await batches.tokensOf(20)).toEqual(longest(20, 36));
  expect(await batches.tokensOf(44)).toEqual(longest(36, 45));
  expect(await batches.tokensOf(49)).toEqual(longest(45, 50));
});

test("under the paper's protocol a model is told how far to pad; corrected, nothing is padded", async () => {
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
    // The first call only asks how wide the embeddings are.
    const padTo = asked.slice(1).map((options) => options.padTo);
    expect(new Set(padTo)).toEqual(new Set([protocol === "paper" ? 9 : undefined]));
  }
});
