import { expect, test } from "vitest";
import {
  checkPlantedSignals,
  PLANTED_SIGNALS,
  type PlantedSignal,
  plantedSignalsTable,
} from "../../src/demo/planted-signals.ts";
import { changedRecipes, DEMO_RUNS, quickRuns } from "../../src/demo/runs.ts";
import { TASKS, taskNamed } from "../../src/evaluation/tasks/catalogue.ts";
import { plainTable } from "../../src/report/table.ts";
import { resultsFixture } from "../report/results-fixture.ts";

const about = (truth: Partial<PlantedSignal>): PlantedSignal => ({
  ...{ task: "regulatory-elements", setting: "zero-shot", model: "good", says: "it was planted" },
  ...truth,
});

test("a truth holds when the whole interval lies above, or the value is the one", async () => {
  const results = await resultsFixture([
    { model: "good", protocol: "corrected", shift: 2 },
    { model: "blind", protocol: "corrected", shift: 0, rows: 200 },
    { model: "papered", protocol: "paper", shift: 2 },
  ]);
  const found = (truth: Partial<PlantedSignal>) =>
    checkPlantedSignals(results, [about(truth)]).map(({ holds }) => holds);
  expect(found({ above: 0.5 })).toEqual([true]);
  expect(found({ model: "blind", above: 0.5 })).toEqual([false]);
  expect(found({ is: 0.5 })).toEqual([false]);
  expect(found({ metric: "no-such-metric", above: 0.5 })).toEqual([false]);
  // Nobody was asked.
  expect(found({ model: "papered", above: 0.5 })).toEqual([]);
  expect(found({ dataset: "K562", above: 0.5 })).toEqual([]);

  const checked = checkPlantedSignals(results, [
    about({ above: 0.5 }),
    about({ model: "blind", above: 0.5 }),
  ]);
  const [good, blind] = plainTable(plantedSignalsTable(checked)).match(/^regulatory.*$/gm)!;
  expect(good).toMatch(/good .* > 0\.5 +found +it was planted/);
  expect(blind).toMatch(/blind .* > 0\.5 +NOT FOUND/);
});

test("every question is one that its task has, and every truth is about a question that is asked", () => {
  for (const { task, setting } of DEMO_RUNS) expect(taskNamed(task).settings).toHaveProperty(setting);
  const asked = DEMO_RUNS.flatMap(({ task, setting, models }) =>
    models.map((spec) => `${task}, ${setting}, ${nameOf(spec)}`),
  );
  for (const { task, setting, model } of PLANTED_SIGNALS)
    expect(asked).toContain(`${task}, ${setting}, ${model}`);
  expect(new Set(DEMO_RUNS.map(({ task }) => task)).size).toBe(5);
});

test("every task is asked in each of its settings", () => {
  const asked = new Set(DEMO_RUNS.map(({ task, setting }) => `${task}, ${setting}`));
  const settings = TASKS.flatMap(({ name, settings }) =>
    Object.keys(settings).map((each) => `${name}, ${each}`),
  );
  expect([...asked].sort()).toEqual(settings.sort());
});

test("what is smaller than in the benchmark is told", () => {
  const told = changedRecipes(DEMO_RUNS);
  expect(told).toContainEqual(
    expect.stringMatching(/^regulatory-elements, probed: epochs \d+, trainRows \d+/),
  );
  expect(told).toHaveLength(DEMO_RUNS.filter(({ recipe }) => recipe !== undefined).length);
});

/** What results call the model that a text opens. */
const nameOf = (spec: string) => spec.replace(/^toy:(.*)$/, "$1-toy").replace(":order=", "-");

test("the quick demo asks less of some of the same questions", () => {
  const quick = quickRuns(DEMO_RUNS);
  expect(quick.length).toBeGreaterThan(3);
  expect(quick.length).toBeLessThan(DEMO_RUNS.length);
  for (const question of quick) {
    const whole = DEMO_RUNS.find(
      ({ task, setting }) => task === question.task && setting === question.setting,
    )!;
    expect(question.rows ?? 0).toBeLessThanOrEqual(whole.rows ?? Number.POSITIVE_INFINITY);
  }
});
