import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Measurement } from "../../../../src/evaluation/tasks/measurement.ts";
import type { Prediction } from "../../../../src/evaluation/tasks/prediction.ts";
import { knownCountsNote } from "../../../../src/evaluation/tasks/variant-effects/evaluated-variants.ts";
import { measureVariants } from "../../../../src/evaluation/tasks/variant-effects/measure.ts";
import type { StoredVariantFacts } from "../../../../src/evaluation/tasks/variant-effects/scores.ts";
import { factsOf, type VariantFacts } from "../../../../src/evaluation/tasks/variant-effects/scores.ts";
import type { Protocol } from "../../../../src/models/model.ts";

type GoldenRow = VariantFacts & { readonly d: number };
interface Golden {
  readonly name: string;
  readonly kind: "likelihood" | "activity" | "distance";
  readonly rows: readonly GoldenRow[];
  readonly expected: Readonly<
    Record<Protocol, { significant: number; controls: number; metrics: Record<string, number> }>
  >;
}
// scripts/golden/variant_effects_metrics.py (SciPy 1.12.0, pandas 2.2.0, scikit-learn 1.4.2)
const { cases }: { readonly cases: readonly Golden[] } = JSON.parse(
  readFileSync(new URL("../../../golden/variant-effects/metrics.json", import.meta.url), "utf8"),
);

function predictionOf(
  row: GoldenRow,
  index: number,
  kind: Golden["kind"],
  more: Partial<StoredVariantFacts> = {},
): Prediction<StoredVariantFacts> {
  const { d, ...facts } = row;
  const form = row.favours === "alternative" ? "caqtl" : "dsqtl";
  const kept = { ...factsOf({ ...facts, form, end: row.start + 1, unknown: 0 }), ...more };
  if (kind === "distance") return { kind, row: index, values: [d], facts: kept };
  return { kind, row: index, values: [0, d], facts: kept };
}

const context = (protocol: Protocol, rowsInTable: number) => ({ protocol, seed: 0, rowsInTable, recipe: {} });
const measured = ({ rows, kind }: Golden, protocol: Protocol): Measurement =>
  measureVariants(
    rows.map((row, i) => predictionOf(row, i, kind)),
    context(protocol, rows.length),
  );
const metric = ({ metrics }: Measurement, name: string) => metrics.find((one) => one.name === name)!;

describe.each(cases)("$name", (golden) => {
  test.each(["paper", "corrected"] as const)("%s: the metrics are SciPy's and scikit-learn's", (protocol) => {
    const result = measured(golden, protocol);
    const { significant, controls, metrics } = golden.expected[protocol];
    // The original's test is a metric under its own protocol only; its p stands under the original's key in
    // both.
    const found = (name: string) => {
      if (protocol === "paper" || !name.startsWith("mann-whitney")) return metric(result, name).value;
      if (name === "mann-whitney-p") return result.published.mannwhitney_p_less;
      return (1 - metric(result, "auroc").value!) * significant * controls;
    };
    expect(result.counts).toMatchObject({ significant, controls });
    expect(Object.keys(metrics).length).toBeGreaterThan(6);
    for (const [name, value] of Object.entries(metrics)) {
      expect(found(name), name).toBeCloseTo(value, 10);
    }
    expect(result.metrics[0]).toMatchObject({ name: "auroc", main: true });
    for (const { value, intervals } of result.metrics.filter(({ intervals }) => intervals.length > 0)) {
      expect(intervals[0].method).toMatch(/^genomic-block/);
      expect(intervals[0].low).toBeLessThan(value!);
      expect(intervals[0].high).toBeGreaterThan(value!);
    }
  });
});

const [african, , , yoruban, , yorubanDistance] = cases;

test("the original's keys are those of the protocol", () => {
  const result = measured(yoruban, "paper");
  expect(result.published).toEqual({
    auroc: metric(result, "auroc").value,
    auprc: metric(result, "auprc").value,
    pearson: metric(result, "pearson").value,
    spearman: metric(result, "spearman").value,
    mannwhitney_p_less: metric(result, "mann-whitney-p").value,
  });
});

test("reports quirks with both numbers", () => {
  const effects = (golden: Golden, protocol: Protocol) =>
    Object.fromEntries(measured(golden, protocol).quirks.map(({ label, effect }) => [label, effect]));
  const reported = effects(african, "corrected");
  expect(Object.keys(reported)).toEqual(["Q41", "Q23", "Q20", "Q39"]);
  expect(reported.Q41.corrected).toBeCloseTo(african.expected.corrected.metrics.pearson, 10);
  expect(effects(african, "paper").Q41.paper).toBeCloseTo(african.expected.paper.metrics.pearson, 10);
  expect(reported.Q23.paper).not.toBeCloseTo(reported.Q23.corrected as number, 3);
  const { paper, corrected } = yoruban.expected;
  expect(effects(yoruban, "paper").Q22).toEqual({
    paper: expect.closeTo(paper.metrics.pearson, 10),
    corrected: expect.closeTo(corrected.metrics.pearson, 10),
  });
  expect(paper.metrics.pearson).toBeCloseTo(-corrected.metrics.pearson, 12);
  expect(Object.keys(effects(yorubanDistance, "paper"))).toEqual(["Q23"]);
});

test("reports distances in the other precision as quirk Q16", () => {
  const rows = yorubanDistance.rows.map((row, i) => {
    const prediction = predictionOf(row, i, "distance");
    return { ...prediction, byVariant: { float32: [row.d === 0 ? 0 : 1] } } as Prediction<StoredVariantFacts>;
  });
  const { quirks } = measureVariants(rows, context("corrected", rows.length));
  const q16 = quirks.find(({ label }) => label === "Q16")!;
  expect(q16.effect.corrected).toBeCloseTo(yorubanDistance.expected.corrected.metrics.auroc, 10);
  expect(q16.effect.paper).not.toBeCloseTo(q16.effect.corrected as number, 3);
});

test("a distance has no direction", () => {
  const direction = metric(measured(yorubanDistance, "corrected"), "direction-pearson");
  expect(direction).toMatchObject({ value: null, why: "a distance between alleles has no direction" });
});

test("the published tables are known by their counts", () => {
  const published = {
    rows: 219_382,
    rowsInTable: 219_382,
    rowsWithAllele2Reference: 39_504,
    significant: 6_821,
    controls: 77_999,
  };
  expect(knownCountsNote("caqtl", published)).toMatch(/^The table has the published counts/);
  expect(knownCountsNote("caqtl", { ...published, controls: 77_998 })).toBe(
    "The table is not the published one, or not all of it: controls 77,998 instead of 77,999.",
  );
  expect(knownCountsNote("caqtl", { ...published, rows: 100 })).toBeUndefined();
  expect(knownCountsNote("caqtl", { ...published, rows: 800, rowsInTable: 800 })).toBeUndefined();
  expect(knownCountsNote("vcf", published)).toBeUndefined();
});

test("the result states the convention of signs", () => {
  expect(metric(measured(yoruban, "paper"), "pearson").title).toBe(
    "Pearson r over QTLs, allele 2 − allele 1 against the effect of allele 1",
  );
  expect(metric(measured(yoruban, "corrected"), "pearson").title).toContain("allele 1 − allele 2");
  expect(measured(african, "corrected").notes[0]).toContain(
    "allele 2 − allele 1 against the effect of allele 2",
  );
});

test("without labels metrics are null with a reason, and averages remain", () => {
  const rows = african.rows.slice(0, 20).map((row, i) => {
    const { significant: _s, effect: _e, ...rest } = row;
    return predictionOf({ ...rest, significant: undefined, effect: undefined }, i, "likelihood");
  });
  const result = measureVariants(rows, context("corrected", 20));
  for (const { value, why } of result.metrics) {
    expect(value).toBeNull();
    expect(why).toMatch(/labelled|fewer than two QTLs/);
  }
  expect(result.averages.differenceSize).toBeGreaterThan(0);
});

test("reports defined metrics with controls alone or without effects", () => {
  const rows = african.rows.map((row, i) => predictionOf({ ...row, effect: undefined }, i, "likelihood"));
  const result = measureVariants(rows, context("corrected", rows.length));
  expect(metric(result, "auroc").value).not.toBeNull();
  expect(metric(result, "pearson").value).toBeNull();
  expect(result.notes.join(" ")).toContain("48 QTLs without an effect are not in the correlations");
  const controls = rows.filter(({ facts }) => facts.significant === 0);
  expect(metric(measureVariants(controls, context("corrected", 9)), "auroc").why).toBe(
    "no evaluated variant is a QTL",
  );
});

test("counts and reports variants compared by whole windows", () => {
  const rows = african.rows.map((row, i) => predictionOf(row, i, "likelihood", { compared: "windows" }));
  const { counts, notes } = measureVariants(rows, context("corrected", rows.length));
  expect(counts.rowsComparedByWholeWindows).toBe(african.rows.length);
  expect(notes.join(" ")).toContain("without masking");
});

test("differences within rounding are 0 under corrected, and those below float32 precision under paper", () => {
  const rows = cases[0].rows.filter(({ original }) => original === "ok");
  // Log-likelihoods of whole windows: every third variant differs by less than float32 rounds at 2,900.
  const predictions = rows.map((row, i): Prediction<StoredVariantFacts> => {
    const change = i % 3 === 0 ? 1e-5 * (row.d < 0 ? -1 : 1) : row.d;
    return { ...predictionOf(row, i, "likelihood"), kind: "likelihood", values: [-2900, -2900 + change] };
  });
  const third = rows.filter((_, i) => i % 3 === 0).length;
  const of = (protocol: Protocol, scoreRounding: number) =>
    measureVariants(predictions, { ...context(protocol, rows.length), scoreRounding });
  const corrected = of("corrected", 2 ** -23);
  expect(corrected.ties!.byRounding).toBe(third);
  expect(corrected.ties!.tolerance).toBeLessThan(8e-4);
  expect(corrected.notes.join()).toContain(`${third} differences of alleles are within the rounding`);
  expect(of("corrected", 2114 * 2 ** -53).ties!.byRounding).toBe(0);
  // Both protocols tie these variants with one another: what is left of AUROC is the same.
  const area = (measurement: Measurement) => metric(measurement, "auroc").value;
  const zeros = measureVariants(
    predictions.map((one, i) =>
      i % 3 === 0 ? ({ ...one, values: [-2900, -2900] } as Prediction<StoredVariantFacts>) : one,
    ),
    context("corrected", rows.length),
  );
  expect(area(corrected)).toBe(area(zeros));
  expect(area(of("corrected", 0))).not.toBe(area(zeros));
  expect(area(of("paper", 2 ** -23))).not.toBe(area(of("paper", 0)));
});
