import { expect, test } from "vitest";
import type { TrainingRecord } from "../../src/evaluation/settings/training-record.ts";
import { lossCurves } from "../../src/report/loss-curves.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { resultsFixture } from "./results-fixture.ts";

const record = (losses: readonly number[]): TrainingRecord => ({
  identity: "0123456789abcdef".repeat(4),
  trainRows: 1200,
  valRows: 300,
  parameters: 24_738,
  best: losses.indexOf(Math.min(...losses)),
  epochs: losses.map((loss, epoch) => ({ epoch, trainLoss: 2 * loss, validation: { val_loss: loss } })),
});

async function panelWith(...trained: (readonly number[] | undefined)[]) {
  const results = await resultsFixture(
    trained.map((_, i) => ({ model: `model-${i}`, protocol: "corrected", shift: 4 - i })),
  );
  const [panel] = panelsOf(
    results.map((stored, i) =>
      trained[i] === undefined
        ? stored
        : { ...stored, result: { ...stored.result, training: record(trained[i]) } },
    ),
  );
  return panel!;
}

test("one chart per trained model, with the chosen epoch marked", async () => {
  const text = String(lossCurves(await panelWith([0.7, 0.5, 0.6], undefined)));
  expect(text.match(/<svg/g)).toHaveLength(1);
  expect(text).toContain("validation loss from 0.700 to 0.500 in epoch 2 of 3");
  // Highest at the left, lowest in the middle of the chart, where the mark is.
  expect(text).toContain('points="44,8 167,128 290,68"');
  expect(text).toContain('cx="167" cy="128"');
  expect(text).toContain("1,200 training rows, 300 validation rows, 24,738 trained parameters");
});

test("a single epoch, or equal losses, give finite coordinates", async () => {
  const text = String(lossCurves(await panelWith([0.7], [0.7, 0.7])));
  expect(text.match(/<svg/g)).toHaveLength(2);
  expect(text).not.toMatch(/NaN|Infinity/);
});

test("similar losses are shown with enough digits to distinguish them", async () => {
  const text = String(lossCurves(await panelWith([0.69431, 0.69412, 0.6942])));
  expect(text).toMatch(/>0\.6943<.*>0\.6941</s);
});

test("nothing is shown without training", async () => {
  expect(lossCurves(await panelWith(undefined))).toBeUndefined();
});
