import { expect, expectTypeOf, test } from "vitest";
import { type EvaluateOptions, type Evaluation, evaluate } from "../../src/evaluation/evaluate.ts";
import type { SettingName } from "../../src/evaluation/settings/catalogue.ts";
import type { InputsOf, MetricName, MetricNameOf, TaskName } from "../../src/evaluation/tasks/catalogue.ts";
import type { RegulatoryElementsInputs } from "../../src/evaluation/tasks/regulatory-elements/rows.ts";
import type { Task, TaskInputs } from "../../src/evaluation/tasks/task.ts";
import { fakeModel, fakeTask } from "./fake-task.ts";

test("names are the catalogues'", () => {
  expectTypeOf<"regulatory-elements">().toExtend<TaskName>();
  expectTypeOf<"regulatory-element">().not.toExtend<TaskName>();
  expectTypeOf<"zero-shot">().toExtend<SettingName>();
  expectTypeOf<"zero">().not.toExtend<SettingName>();
  expectTypeOf<"spearman-peaks" | "auroc-k562" | "macro-mcc" | "motifs-found">().toExtend<MetricName>();
  expectTypeOf<"auroc-hela">().not.toExtend<MetricName>();
});

test("a task's name gives the types of its inputs and metrics", () => {
  expectTypeOf<InputsOf<"regulatory-elements">>().toEqualTypeOf<RegulatoryElementsInputs>();
  expectTypeOf<EvaluateOptions<"regulatory-elements">["inputs"]>().toEqualTypeOf<RegulatoryElementsInputs>();
  expectTypeOf<"paired-accuracy" | "wilcoxon-p" | "mcc">().toExtend<MetricNameOf<"regulatory-elements">>();
  expectTypeOf<"spearman-peaks">().not.toExtend<MetricNameOf<"regulatory-elements">>();
  expectTypeOf<InputsOf<string>>().toEqualTypeOf<TaskInputs>();
  expectTypeOf<MetricNameOf<string>>().toEqualTypeOf<string>();
});

test("a custom task has its own inputs and metrics", () => {
  type Custom = Task<{ readonly at: number }, { readonly windows: string }, "custom", "wins">;
  expectTypeOf<InputsOf<Custom>>().toEqualTypeOf<{ readonly windows: string }>();
  expectTypeOf<Custom>().toExtend<Task>();
  expectTypeOf<MetricNameOf<Custom>>().toEqualTypeOf<"wins">();
});

test("an erased task is evaluated with any inputs", async () => {
  const { metrics } = await evaluate({ task: fakeTask({ rows: 4 }), inputs: {}, model: fakeModel() });
  expectTypeOf(metrics).toEqualTypeOf<Evaluation["metrics"]>();
  expect(metrics[0].name).toBe("wins");
});
