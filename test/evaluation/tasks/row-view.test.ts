import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import { cellTypeElements } from "../../../src/evaluation/tasks/cell-type-elements/cell-type-elements.ts";
import { chromatinActivity } from "../../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import { motifFootprinting } from "../../../src/evaluation/tasks/motif-footprinting/motif-footprinting.ts";
import type { Prediction } from "../../../src/evaluation/tasks/prediction.ts";
import { regulatoryElements } from "../../../src/evaluation/tasks/regulatory-elements/regulatory-elements.ts";
import type { ClassificationFigure, RowView, ScatterFigure } from "../../../src/evaluation/tasks/row-view.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { variantEffects } from "../../../src/evaluation/tasks/variant-effects/variant-effects.ts";
import { auroc } from "../../../src/metrics/auroc.ts";
import { pearson } from "../../../src/metrics/correlation.ts";

const ROWS = 120;
const rng = new Pcg64(5);
const place = (row: number) => ({
  chrom: `chr${1 + (row % 4)}`,
  start: 1000 * row,
  end: 1000 * row + 500,
  unknown: 0,
});

/** The view and the metrics of the same predictions. */
async function both(task: Task, setting: string, of: (row: number) => Prediction) {
  const predictions = Array.from({ length: ROWS }, (_, row) => of(row));
  const form = task.settings[setting];
  const context = { protocol: "corrected", seed: 0, rowsInTable: ROWS, recipe: form.recipe } as const;
  const { metrics } = await (form?.measure ?? task.measure)(predictions, context);
  const view: RowView = await task.viewRows!(predictions, context);
  expect([...view.rows]).toEqual(predictions.map(({ row }) => row));
  return { view, value: (name: string) => metrics.find((metric) => metric.name === name)!.value! };
}

const classified = ({ figures }: RowView) =>
  figures.filter((figure): figure is ClassificationFigure => figure.kind === "classification");
const scattered = ({ figures }: RowView) =>
  figures.filter((figure): figure is ScatterFigure => figure.kind === "scatter");
const area = ({ scores, labels }: ClassificationFigure) => auroc(scores, labels);
const shareAbove0 = ({ score }: RowView) =>
  Array.from(score.values).reduce((sum, one) => sum + (one > 0 ? 1 : one === 0 ? 0.5 : 0), 0) / ROWS;

test("regulatory elements, zero-shot: positive scores are the paired accuracy", async () => {
  const { view, value } = await both(regulatoryElements as Task, "zero-shot", (row) => ({
    kind: "likelihood",
    row,
    values: [-480 + 2 + 4 * normal(rng), -480],
    facts: { ...place(row), same: 0 },
  }));
  expect(shareAbove0(view)).toBeCloseTo(value("paired-accuracy"), 12);
  expect(view.loci!.starts[3]).toBe(3000);
});

test("regulatory elements, probed: the classification has the AUROC", async () => {
  const { view, value } = await both(regulatoryElements as Task, "probed", (row) => ({
    kind: "logits",
    row,
    logits: [
      [normal(rng), normal(rng) + 1],
      [normal(rng), normal(rng)],
    ],
    facts: { ...place(row), same: 0 },
  }));
  expect(area(classified(view)[0])).toBeCloseTo(value("auroc"), 12);
  expect(shareAbove0(view)).toBeCloseTo(value("paired-accuracy"), 12);
});

test("motif footprinting: positive scores are the accuracy, of likelihoods and of distances", async () => {
  const facts = (row: number) => ({ background: row >> 3, motif: `M${(row >> 1) % 4}`, strand: "+" });
  const likelihoods = await both(motifFootprinting as Task, "zero-shot", (row) => ({
    kind: "likelihood",
    row,
    values: [-500, -490 + normal(rng), -490.5 + normal(rng)],
    facts: facts(row),
  }));
  expect(shareAbove0(likelihoods.view)).toBeCloseTo(likelihoods.value("accuracy"), 12);
  const distances = await both(motifFootprinting as Task, "zero-shot-embedding", (row) => ({
    kind: "distance",
    row,
    values: [0.1 + 0.05 * rng.nextFloat64(), 0.1 + 0.04 * rng.nextFloat64()],
    facts: facts(row),
  }));
  expect(shareAbove0(distances.view)).toBeCloseTo(distances.value("accuracy"), 12);
  expect(distances.view.loci).toBeUndefined();
});

test("cell types: each line's classification has its AUROC", async () => {
  const { view, value } = await both(cellTypeElements as Task, "probed", (row) => ({
    kind: "logits",
    row,
    logits: [CELL_LINES.map((_, line) => normal(rng) + (line === row % 5 ? 1 : 0))],
    facts: { ...place(row), label: CELL_LINES[row % 5] },
  }));
  classified(view).forEach((figure, line) => {
    expect(area(figure)).toBeCloseTo(value(`auroc-${CELL_LINES[line].toLowerCase()}`), 12);
  });
});

test("chromatin activity: peaks have the correlation, classified rows the AUROC", async () => {
  const { view, value } = await both(chromatinActivity as Task, "predicted", (row) => {
    const counts = Math.floor(200 * rng.nextFloat64());
    const set = (["peaks", "idr", "nonpeaks"] as const)[row % 3];
    return {
      kind: "activity",
      row,
      values: [Math.log1p(counts) + normal(rng)],
      facts: { ...place(row), set, counts },
    };
  });
  const [{ x, y }] = scattered(view);
  const peaks = Array.from(x.values, (_, i) => i).filter((i) => !Number.isNaN(x.values[i]));
  const { r } = pearson(
    peaks.map((i) => y.values[i]),
    peaks.map((i) => x.values[i]),
  );
  expect(r).toBeCloseTo(value("pearson-peaks"), 12);
  expect(area(classified(view)[0])).toBeCloseTo(value("auroc"), 12);
});

test("variants: |difference| has the AUROC, oriented differences the correlation", async () => {
  const { view, value } = await both(variantEffects as Task, "zero-shot", (row) => {
    const effect = normal(rng);
    const significant = row % 3 === 0 ? 1 : 0;
    return {
      kind: "likelihood",
      row,
      values: [-2800, -2800 + normal(rng) + (significant ? effect : 0)],
      facts: {
        ...place(row),
        allele1: "A",
        allele2: "C",
        reference: row % 2 === 0 ? 1 : 2,
        original: "same",
        form: "caqtl",
        favours: "alternative",
        significant,
        used: 1,
        inPeaks: 1,
        effect,
      },
    };
  });
  expect(area(classified(view)[0])).toBeCloseTo(value("auroc"), 12);
  const [{ x, y }] = scattered(view);
  expect(pearson(Array.from(y.values), Array.from(x.values)).r).toBeCloseTo(value("pearson"), 12);
  expect(view.facts.map(({ title }) => title)).toEqual(["allele 1", "allele 2", "label", "measured effect"]);
});
