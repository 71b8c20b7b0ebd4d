import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Cell } from "../../../src/evaluation/runs/cell.ts";
import { groupValues } from "../../../src/evaluation/strata/bins.ts";
import { requestedStratification, StrataSources } from "../../../src/evaluation/strata/catalogue.ts";
import { measureStrata } from "../../../src/evaluation/strata/measure-strata.ts";
import type { RowsToStratify } from "../../../src/evaluation/strata/rows.ts";
import { mainEstimate } from "../../../src/evaluation/tasks/intervals.ts";
import type { Prediction } from "../../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { factsOf, type VariantFacts } from "../../../src/evaluation/tasks/variant-effects/scores.ts";
import { variantEffects } from "../../../src/evaluation/tasks/variant-effects/variant-effects.ts";

const task: Task = variantEffects;

interface Case {
  readonly name: string;
  readonly kind: "likelihood" | "activity" | "distance";
  readonly rows: readonly (VariantFacts & { readonly d: number })[];
}

const read = <T>(file: string): { readonly cases: readonly T[] } =>
  JSON.parse(readFileSync(new URL(`../../golden/${file}`, import.meta.url), "utf8"));

const { cases } = read<Case>("variant-effects/metrics.json");
// scripts/golden/strata.py (pandas 3.1.1, scikit-learn 1.9.1)
const expected = read<{
  readonly name: string;
  readonly edges: readonly number[];
  readonly strata: readonly { readonly rows: number; readonly auroc: number }[];
}>("strata/effect-size.json").cases;

function rowsOf({ kind, rows }: Case): RowsToStratify {
  const predictions = PredictionColumns.of(
    rows.map(({ d, ...facts }, row): Prediction => {
      const kept = { ...factsOf({ ...facts, form: "caqtl", end: facts.start + 1, unknown: 0 }) };
      return { kind, row, values: kind === "distance" ? [d] : [0, d], facts: kept };
    }),
  );
  const model = { name: "golden", identity: "golden", scoreRounding: 0 };
  const cell: Cell = {
    identityVersion: 1,
    task: "variant-effects",
    taskVersion: 1,
    model,
    setting: "zero-shot",
    protocol: "corrected",
    seed: 0,
    split: "all",
    limit: null,
    recipe: {},
    data: {},
  };
  const count = { inTable: rows.length, selected: rows.length, digest: "" };
  return { task, record: { identity: "golden", cell, rows: count }, predictions };
}

async function byEffect(rows: RowsToStratify) {
  const requested = requestedStratification("effect-size", [task], {});
  const form = (await requested.open(task, new StrataSources({})))!;
  const { values } = await form.valuesOf(rows);
  const shared = Uint8Array.from({ length: rows.predictions.length }, (_, i) =>
    form.inEveryStratum?.(rows.predictions.factsAt(i)) ? 1 : 0,
  );
  const groups = groupValues(form.name, values, { bins: 2 });
  return { form, groups, notes: [], shared };
}

const context = ({ predictions }: RowsToStratify) =>
  ({
    protocol: "corrected",
    seed: 0,
    rowsInTable: predictions.length,
    recipe: {},
    scoreRounding: 0,
  }) as const;

describe.each(expected)("$name", ({ name, edges, strata }) => {
  const rows = rowsOf(cases.find((one) => one.name === name)!);
  const [main] = task.measure(rows.predictions, context(rows)).metrics;

  test("AUROC of each half of the effects against all controls is scikit-learn's", async () => {
    const found = await measureStrata(rows, main, [await byEffect(rows)]);
    const [effects] = found!.stratifications;
    expect(effects.strata.map((stratum) => stratum.rows)).toEqual(strata.map((stratum) => stratum.rows));
    expect(effects.strata[0].to).toBeCloseTo(edges[0], 12);
    effects.strata.forEach(({ value, interval }, i) => {
      expect(value).toBeCloseTo(strata[i].auroc, 12);
      expect(interval!.low).toBeLessThan(value!);
    });
    expect(effects.shared).toBe(117);
  });

  test("a stratum of all rows has the estimate of the result", async () => {
    const all = Array.from({ length: rows.predictions.length }, () => "all");
    const form = {
      name: "all",
      title: "all",
      refuses: () => undefined,
      valuesOf: async () => ({ values: all }),
    };
    const groups = groupValues("all", all);
    const shared = new Uint8Array(all.length);
    const found = await measureStrata(rows, main, [{ form, groups, notes: [], shared }]);
    const [stratum] = found!.stratifications[0].strata;
    expect(stratum).toEqual({ name: "all", ...found!.whole });
    expect(stratum.interval).toEqual(main.intervals[0]);
    expect(stratum.interval).toEqual(mainEstimate(task.mainStatistic!(rows.predictions, context(rows))));
  });
});

test("a stratum with few rows of a class is listed without a metric", async () => {
  const rows = rowsOf(cases[0]);
  const [main] = task.measure(rows.predictions, context(rows)).metrics;
  let positives = 0;
  const values = Array.from({ length: rows.predictions.length }, (_, i) => {
    const { significant } = rows.predictions.factsAt(i);
    return significant === 1 && ++positives > 11 ? "others" : "few positives";
  });
  const form = { name: "few", title: "few", refuses: () => undefined, valuesOf: async () => ({ values }) };
  const shared = new Uint8Array(values.length);
  const grouped = { form, groups: groupValues("few", values), notes: [], shared };
  const [few, others] = (await measureStrata(rows, main, [grouped]))!.stratifications[0].strata;
  expect(few.value).toBeNull();
  expect(few.suppressed).toMatch(/^\d+ rows of the rarer class$/);
  expect(others.suppressed).toBe("0 rows of the rarer class");
});
