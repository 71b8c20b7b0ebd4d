import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import type { Setting } from "../../src/evaluation/settings/setting.ts";
import { ofKind } from "../../src/evaluation/tasks/prediction.ts";
import type { Task } from "../../src/evaluation/tasks/task.ts";
import { fakeModel, fakeTask } from "./fake-task.ts";

describe("evaluate", () => {
  test("evaluates a custom model on a custom task", async () => {
    const model = fakeModel();
    const { metrics, predictions, cell } = await evaluate({
      task: fakeTask({ rows: 30 }),
      inputs: {},
      model,
    });
    expect(cell).toMatchObject({ task: "fake", setting: "zero-shot", protocol: "corrected", split: "test" });
    expect(predictions.map(({ row }) => row)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(metrics[0].value).toBe(
      ofKind("likelihood", predictions).filter(({ values }) => values[0] > values[1]).length,
    );
    // Without timing the model is called with each sequence once.
    expect(model.calls.flat()).toHaveLength(60);
  });

  test("opens and closes a custom setting once", async () => {
    const calls: string[] = [];
    const shortest: Setting = {
      name: "shortest",
      title: "the shorter the likelier",
      readyAtOnce: false,
      unsupportedReason: () => undefined,
      sequencesPerRow: () => 1,
      async open({ recipe, batchSize }) {
        calls.push(`open ${JSON.stringify(recipe)} ${batchSize}`);
        return {
          predict: async (examples) =>
            examples.map(({ row, sequences, facts }) => ({
              kind: "likelihood",
              row,
              values: sequences.map(({ length }) => -length),
              facts,
            })),
          async close() {
            calls.push("close");
          },
        };
      },
    };
    const task = fakeTask({ rows: 12 });
    const settings = { shortest: { recipe: { rate: 0.1 }, defaultSplit: "all" } } as const;
    const { cell, counts } = await evaluate({
      task: { ...task, settings } satisfies Task,
      inputs: {},
      model: { name: "none", embed: () => [] },
      setting: shortest,
      batchSize: 5,
    });
    expect(calls).toEqual(['open {"rate":0.1} 5', "close"]);
    expect(cell).toMatchObject({ setting: "shortest", recipe: { rate: 0.1 } });
    expect(counts.rows).toBe(12);
  });

  test("stops with the signal's reason", async () => {
    const stop = new AbortController();
    const model = fakeModel();
    const running = evaluate({
      task: fakeTask(),
      inputs: {},
      model,
      signal: stop.signal,
      onProgress: (event) => event.kind === "batch" && event.batch === 2 && stop.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
    expect(model.calls).toHaveLength(3);
  });
});
