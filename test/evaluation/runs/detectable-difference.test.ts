import { expect, test } from "vitest";
import { detectableDifferenceOf } from "../../../src/evaluation/runs/detectable-difference.ts";
import type { PlannedCell } from "../../../src/evaluation/runs/request.ts";
import { TASKS } from "../../../src/evaluation/tasks/catalogue.ts";

/** A planned cell as far as the difference depends on it. */
const planned = (name: string, setting: string, rows: number, stratumOf?: (row: number) => string) =>
  ({
    task: { task: TASKS.find((task) => task.name === name)!, stratumOf },
    rows: Uint32Array.from({ length: rows }, (_, row) => row),
    record: { cell: { setting }, rows: { selected: rows } },
  }) as unknown as PlannedCell;

test("of proportions: the normal approximation at one half", () => {
  // statsmodels 0.14: NormalIndPower().solve_power(nobs1=1000, alpha=0.05, power=0.8) * 0.5, standard
  // deviation 0.5
  expect(detectableDifferenceOf(planned("regulatory-elements", "zero-shot", 1000))).toBeCloseTo(0.062645, 3);
  expect(detectableDifferenceOf(planned("cell-type-elements", "probed", 1000))).toBeCloseTo(0.062645, 3);
});

test("of variants: the rarer class decides", () => {
  const few = planned("variant-effects", "zero-shot", 2000, (row) => (row < 100 ? "significant" : "control"));
  const many = planned("variant-effects", "zero-shot", 2000, (row) =>
    row < 1000 ? "significant" : "control",
  );
  expect(detectableDifferenceOf(few)!).toBeGreaterThan(2 * detectableDifferenceOf(many)!);
});

test("is undefined for clusterings and for too few rows", () => {
  expect(detectableDifferenceOf(planned("cell-type-elements", "zero-shot-embedding", 1000))).toBeUndefined();
  expect(detectableDifferenceOf(planned("regulatory-elements", "zero-shot", 2))).toBeUndefined();
});
