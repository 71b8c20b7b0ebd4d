import { InputError } from "../base/errors.ts";
import { Pcg64 } from "../base/pcg64.ts";
import type { Blocks } from "./blocks.ts";
import { requireFinite, requireSameLength } from "./input-checks.ts";
import { wilsonInterval } from "./intervals.ts";

/** A curve with a pointwise band. */
export interface Curve {
  /** [points] */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** 95 % band; absent without resamples. */
  readonly low?: Float64Array;
  readonly high?: Float64Array;
}

/** Options of `rocCurve` and `precisionRecallCurve`. */
export interface CurveOptions {
  /** Resamples of the blocks for the band; 0: no band. Default 200. */
  readonly resamples?: number;
}

/** Most steps of a resampled curve: neighbouring scores of more share a step. */
const RESAMPLED_STEPS = 4096;

/** Places at which curves are evaluated: every hundredth, and closer to the ends. */
const GRID = Float64Array.from([
  0,
  0.001,
  0.002,
  0.005,
  ...Array.from({ length: 99 }, (_, i) => (i + 1) / 100),
  0.995,
  0.998,
  0.999,
  1,
]);

/**
 * ROC curve: true positive rate over false positive rate. Tied scores give a straight segment, so that the
 * area below all points is the AUROC. The band is the 2.5 to 97.5 % range over resamples of the blocks with
 * replacement.
 *
 * @param scores  larger for positives
 * @param labels  1 for positives, 0 for negatives
 * @throws {InputError} when lengths differ, a score is not finite, or a class has no rows
 * @see Fawcett 2006, doi:10.1016/j.patrec.2005.10.010
 */
export function rocCurve(
  scores: Float64Array,
  labels: Uint8Array,
  blocks: Blocks,
  options?: CurveOptions,
): Curve {
  return curveWithBand(scores, labels, blocks, options, (steps) =>
    alongGrid(steps, {
      // Passes the steps that end left of the place; those of its own rate count up to the last.
      passes: (rate, { fp, step }) => fp + steps.fp[step] <= rate * steps.negatives + 1e-9,
      height(rate, { tp, fp, step }) {
        const beyond = rate * steps.negatives - fp;
        const part = step < steps.length && steps.fp[step] > 0 ? beyond / steps.fp[step] : 0;
        return (tp + Math.max(0, part) * (steps.tp[step] ?? 0)) / steps.positives;
      },
    }),
  );
}

/**
 * Precision over recall: at each recall, the precision at the highest threshold that reaches it. Band as in
 * `rocCurve`.
 *
 * @throws {InputError} as `rocCurve`
 */
export function precisionRecallCurve(
  scores: Float64Array,
  labels: Uint8Array,
  blocks: Blocks,
  options?: CurveOptions,
): Curve {
  return curveWithBand(scores, labels, blocks, options, (steps) =>
    alongGrid(steps, {
      passes: (recall, { tp }) => tp === 0 || tp < recall * steps.positives - 1e-9,
      height: (_, { tp, fp }) => tp / (tp + fp),
    }),
  );
}

/** Numbers of positives and negatives at each distinct score, in descending order. */
interface Steps {
  readonly length: number;
  readonly tp: Float64Array;
  readonly fp: Float64Array;
  readonly positives: number;
  readonly negatives: number;
}

/** Positives and negatives of the passed steps, and the number of these steps. */
interface Passed {
  readonly tp: number;
  readonly fp: number;
  readonly step: number;
}

/** Heights of a curve over the grid: at each place, the steps are passed that the curve's rule passes. */
function alongGrid(
  steps: Steps,
  curve: {
    readonly passes: (place: number, passed: Passed) => boolean;
    readonly height: (place: number, passed: Passed) => number;
  },
): Float64Array {
  const passed = { tp: 0, fp: 0, step: 0 };
  return GRID.map((place) => {
    while (passed.step < steps.length && curve.passes(place, passed)) {
      passed.tp += steps.tp[passed.step];
      passed.fp += steps.fp[passed.step];
      passed.step++;
    }
    return curve.height(place, passed);
  });
}

function curveWithBand(
  scores: Float64Array,
  labels: Uint8Array,
  blocks: Blocks,
  { resamples = 200 }: CurveOptions = {},
  evaluate: (steps: Steps) => Float64Array,
): Curve {
  requireSameLength(scores, labels, ["scores", "labels"]);
  requireSameLength(scores, blocks.of, ["scores", "rows in blocks"]);
  requireFinite(scores, "score");
  const sorted = descending(scores, labels, blocks);
  const count = blocks.sizes.length;
  const whole = stepsOf(sorted, new Float64Array(count).fill(1));
  const coarse = coarser(sorted);
  if (whole.positives === 0 || whole.negatives === 0) {
    throw new InputError(
      `${whole.positives} positives and ${whole.negatives} negatives have no curve: expected at least one of each`,
    );
  }
  const curve = { x: GRID, y: evaluate(whole) };
  if (resamples === 0 || count < 2) return curve;
  const rng = new Pcg64(0);
  const found: Float64Array[] = [];
  while (found.length < resamples) {
    const times = new Float64Array(count);
    for (let draw = 0; draw < count; draw++) times[Math.floor(count * rng.nextFloat64())]++;
    const steps = stepsOf(coarse, times);
    // A resample of rare positives may lack a class.
    found.push(steps.positives === 0 || steps.negatives === 0 ? curve.y : evaluate(steps));
  }
  const quantile = (share: number) =>
    Float64Array.from(GRID, (_, i) => {
      const values = Float64Array.from(found, (one) => one[i]).sort();
      return values[Math.round(share * (values.length - 1))];
    });
  return { ...curve, low: quantile(0.025), high: quantile(0.975) };
}

/** Rows by descending score: block, label, and the number of the step, which equal scores share. */
interface SortedRows {
  readonly block: Int32Array;
  readonly positive: Uint8Array;
  readonly step: Uint32Array;
}

function descending(scores: Float64Array, labels: Uint8Array, { of }: Blocks): SortedRows {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  let step = 0;
  return {
    block: Int32Array.from(order, (row) => of[row]),
    positive: Uint8Array.from(order, (row) => labels[row]),
    step: Uint32Array.from(order, (row, i) => {
      if (i > 0 && scores[row] < scores[order[i - 1]]) step++;
      return step;
    }),
  };
}

/** The same rows with fewer steps. */
function coarser(sorted: SortedRows): SortedRows {
  const { step } = sorted;
  const count = (step.at(-1) ?? 0) + 1;
  if (count <= RESAMPLED_STEPS) return sorted;
  return { ...sorted, step: step.map((one) => Math.floor((one * RESAMPLED_STEPS) / count)) };
}

function stepsOf({ block, positive, step }: SortedRows, times: Float64Array): Steps {
  const length = (step.at(-1) ?? 0) + 1;
  const tp = new Float64Array(length);
  const fp = new Float64Array(length);
  for (let i = 0; i < block.length; i++) {
    if (positive[i] === 1) tp[step[i]] += times[block[i]];
    else fp[step[i]] += times[block[i]];
  }
  const total = (counts: Float64Array) => counts.reduce((sum, one) => sum + one, 0);
  return { length, tp, fp, positives: total(tp), negatives: total(fp) };
}

/** Number of bins of `calibrationCurve`. */
const BINS = 10;

/**
 * Reliability diagram: mean predicted probability (x) and share of positives (y) in bins of equally many
 * rows, with Wilson intervals. Bins are fewer if there are fewer rows.
 *
 * @param probabilities  predicted, of the positive class
 * @throws {InputError} when lengths differ or a probability is not finite
 * @see Niculescu-Mizil & Caruana 2005, doi:10.1145/1102351.1102430
 */
export function calibrationCurve(probabilities: Float64Array, labels: Uint8Array): Required<Curve> {
  requireSameLength(probabilities, labels, ["probabilities", "labels"]);
  requireFinite(probabilities, "probability");
  const order = Uint32Array.from(probabilities.keys()).sort((a, b) => probabilities[a] - probabilities[b]);
  const bins = Math.min(BINS, order.length);
  const found = Array.from({ length: bins }, (_, bin) => {
    const rows = order.subarray(
      Math.round((bin * order.length) / bins),
      Math.round(((bin + 1) * order.length) / bins),
    );
    const [predicted, positive] = rows.reduce(
      ([sum, count], row) => [sum + probabilities[row], count + labels[row]],
      [0, 0],
    );
    return { x: predicted / rows.length, ...wilsonInterval(positive, rows.length) };
  });
  const column = (of: (one: (typeof found)[number]) => number) => Float64Array.from(found, of);
  return {
    x: column(({ x }) => x),
    y: column(({ value }) => value),
    low: column(({ low }) => low),
    high: column(({ high }) => high),
  };
}
