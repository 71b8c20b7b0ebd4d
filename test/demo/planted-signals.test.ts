import { expect, test } from "vitest";
import { DEMO_RUNS, PLANTED_SIGNALS } from "../../src/demo/catalogue.ts";
import {
  checkPlantedSignals,
  type PlantedSignal,
  plantedSignalsTable,
} from "../../src/demo/planted-signals.ts";
import { changedRecipes, quickRuns } from "../../src/demo/runs.ts";
import { TASKS, taskNamed } from "../../src/evaluation/tasks/catalogue.ts";
import { plainTable } from "../../src/report/table.ts";
import { resultsFixture } from "../report/results-fixture.ts";

const signal = (changes: Partial<PlantedSignal>): PlantedSignal => ({
  task: "regulatory-elements",
  setting: "zero-shot",
  model: "good",
  reason: "it was planted",
  ...changes,
});

test("a signal is recovered if the whole interval is above the bound, or the value is equal", async () => {
  const results = await resultsFixture([
    { model: "good", protocol: "corrected", shift: 2 },
    { model: "blind", protocol: "corrected", shift: 0, rows: 200 },
    { model: "papered", protocol: "paper", shift: 2 },
  ]);
  const recovered = (changes: Partial<PlantedSignal>) =>
    checkPlantedSignals(results, [signal(changes)]).map(({ recovered }) => recovered);
  expect(recovered({ above: 0.5 })).toEqual([true]);
  expect(recovered({ model: "blind", above: 0.5 })).toEqual([false]);
  expect(recovered({ equals: 0.5 })).toEqual([false]);
  expect(recovered({ metric: "no-such-metric", above: 0.5 })).toEqual([false]);
  // No such result under the corrected protocol.
  expect(recovered({ model: "papered", above: 0.5 })).toEqual([]);
  expect(recovered({ dataset: "K562", above: 0.5 })).toEqual([]);

  const checked = checkPlantedSignals(results, [
    signal({ above: 0.5 }),
    signal({ model: "blind", above: 0.5 }),
  ]);
  const [good, blind] = plainTable(plantedSignalsTable(checked)).match(/^regulatory.*$/gm)!;
  expect(good).toMatch(/good .* > 0\.5 +recovered +it was planted/);
  expect(blind).toMatch(/blind .* > 0\.5 +NOT RECOVERED/);
});

test("runs use settings of their tasks, and every planted signal has a run", () => {
  for (const { task, setting } of DEMO_RUNS) expect(taskNamed(task).settings).toHaveProperty(setting);
  const runs = DEMO_RUNS.flatMap(({ task, setting, models }) =>
    models.map((spec) => `${task}, ${setting}, ${nameOf(spec)}`),
  );
  for (const { task, setting, model } of PLANTED_SIGNALS)
    expect(runs).toContain(`${task}, ${setting}, ${model}`);
  expect(new Set(DEMO_RUNS.map(({ task }) => task)).size).toBe(5);
});

test("every task runs in each of its settings", () => {
  const covered = new Set(DEMO_RUNS.map(({ task, setting }) => `${task}, ${setting}`));
  const settings = TASKS.flatMap(({ name, settings }) =>
    Object.keys(settings).map((each) => `${name}, ${each}`),
  );
  expect([...covered].sort()).toEqual(settings.sort());
});

test("lists the recipes that differ from the benchmark's", () => {
  const lines = changedRecipes(DEMO_RUNS);
  expect(lines).toContainEqual(
    expect.stringMatching(/^regulatory-elements, probed: epochs \d+, trainRows \d+/),
  );
  expect(lines).toHaveLength(DEMO_RUNS.filter(({ recipe }) => recipe !== undefined).length);
});

/** Name in results of the model that an argument opens. */
const nameOf = (spec: string) => spec.replace(/^toy:(.*)$/, "$1-toy").replace(":order=", "-");

test("the quick demo has fewer rows of some of the same runs", () => {
  const quick = quickRuns(DEMO_RUNS);
  expect(quick.length).toBeGreaterThan(3);
  expect(quick.length).toBeLessThan(DEMO_RUNS.length);
  for (const run of quick) {
    const whole = DEMO_RUNS.find(({ task, setting }) => task === run.task && setting === run.setting)!;
    expect(run.rows ?? 0).toBeLessThanOrEqual(whole.rows ?? Number.POSITIVE_INFINITY);
  }
});
