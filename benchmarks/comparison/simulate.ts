import type { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { type JointModels, jointModels } from "../../src/evaluation/comparison/compared-pairs.ts";
import { proportionStatistic } from "../../src/evaluation/tasks/intervals.ts";
import type { MainStatistic } from "../../src/evaluation/tasks/task.ts";
import { aurocOver } from "../../src/metrics/auroc.ts";
import { type Blocks, blocksBy, genomicBlocks } from "../../src/metrics/blocks.ts";
import { spearmanOver } from "../../src/metrics/correlation.ts";
import { normalQuantile } from "../../src/metrics/distributions.ts";
import type { Dependence, Layout } from "../coverage/designs.ts";
import { fieldOf, places } from "../coverage/simulate.ts";

export type Metric = "paired accuracy" | "AUROC" | "Spearman";

/** Rows of one evaluation and the true values of its models. */
export interface Design {
  readonly metric: Metric;
  readonly layout: Layout;
  readonly rows: number;
  readonly dependence: Dependence;
  /** True value of the metric of each model. */
  readonly values: readonly number[];
}

/** Draws of deviations; the command takes 5,000. */
const DRAWS = 1000;

/** Share of positives of an AUROC. */
const POSITIVE = 0.2;

/** Scores of models on the same rows. */
export interface DrawnModels {
  readonly blocks: Blocks;
  /** [models][rows] */
  readonly scores: readonly Float64Array[];
  readonly targets: Float64Array;
  /** Rows at some places, with their blocks. */
  readonly blocksAt: (rows: readonly number[]) => Blocks;
}

/**
 * Draws rows and scores of several models. Half of the variance of a score is common to all models, the other
 * half is the model's own; of both, neighbours share the design's part.
 */
export function drawModels({ metric, layout, rows, dependence, values }: Design, rng: Pcg64): DrawnModels {
  const { chromosome, position } = places(layout, rows, rng);
  const blocksAt = (rows: readonly number[]) =>
    "groups" in layout
      ? blocksBy(
          rows.map((row) => chromosome[row]),
          "group",
        )
      : genomicBlocks(
          rows.map((row) => {
            const start = position[row];
            return { chrom: `chr${chromosome[row]}`, start, end: start + 1 };
          }),
        );
  const blocks = blocksAt([...position.keys()]);
  const half = { ...dependence, strength: dependence.strength / 2 };
  const own = Math.sqrt((1 - dependence.strength) / 2);
  const field = () => fieldOf(chromosome, position, half, rng).map((value) => value + own * normal(rng));
  const common = field();
  const noise = values.map(() => field().map((value, i) => value + common[i]));
  const targets = Float64Array.from({ length: rows }, () =>
    metric === "Spearman" ? normal(rng) : rng.nextFloat64() < POSITIVE ? 1 : 0,
  );
  const scores = noise.map((ofModel, model) => {
    const score = scoring(metric, values[model]);
    return ofModel.map((value, i) => score(value, targets[i]));
  });
  return { blocks, scores, targets, blocksAt };
}

/** Score of a row from standard normal noise and the row's target, for a true value of the metric. */
function scoring(metric: Metric, value: number): (noise: number, target: number) => number {
  if (metric === "paired accuracy") {
    const shift = normalQuantile(value);
    return (noise) => (noise + shift > 0 ? 1 : 0);
  }
  if (metric === "AUROC") {
    const shift = Math.SQRT2 * normalQuantile(value);
    return (noise, target) => noise + shift * target;
  }
  const r = 2 * Math.sin((Math.PI * value) / 6);
  return (noise, target) => r * target + Math.sqrt(1 - r * r) * noise;
}

/** A design's metric over blocks of rows. */
export function metricOverBlocks(
  { metric }: Design,
  scores: Float64Array,
  targets: Float64Array,
  blocks: Blocks,
): MainStatistic {
  if (metric === "paired accuracy") return proportionStatistic(metric, scores, blocks);
  const [over, range] =
    metric === "AUROC" ? ([aurocOver, [0, 1]] as const) : ([spearmanOver, [-1, 1]] as const);
  return { metric, blocks, statistic: over(scores, targets, blocks), range };
}

/** The comparison of drawn models, in the order of the design; names are "0", "1", ... */
export function drawComparison(design: Design, rng: Pcg64): JointModels {
  const { blocks, scores, targets } = drawModels(design, rng);
  const models = scores.map((values, model) => ({
    label: String(model),
    name: String(model),
    statistic: metricOverBlocks(design, values, targets, blocks),
  }));
  return jointModels(models, "higher", rng, DRAWS)!;
}
