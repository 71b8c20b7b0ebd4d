import type { Pcg64 } from "../../src/base/pcg64.ts";
import { integerBelow, normal } from "../../src/base/random.ts";
import { normalQuantile, normalUpperTail } from "../../src/metrics/distributions.ts";
import type { Dependence, Design, Layout, Target } from "./designs.ts";

/** Rows of one simulated evaluation, sorted by position or group. */
export interface Sample {
  /** Chromosome of each row, or its group. [rows] */
  readonly chromosome: Int32Array;
  /** Position in bases, 0 within groups. [rows] */
  readonly position: Float64Array;
  /** Scores, outcomes or predictions. [rows] */
  readonly x: Float64Array;
  /** Labels or measured values; 0 where the metric has none. [rows] */
  readonly y: Float64Array;
}

const normalCdf = (z: number) => normalUpperTail(-z);

/** Step to which tied scores are rounded. */
const STEP = 0.5;

/** Standard deviations of the log density of rows per megabase, and of positives per patch. */
const DENSITY = 0.8;
const PATCHINESS = 0.7;

/**
 * Draws rows from models that no interval assumes: positions cluster in dense megabases, positives cluster in
 * patches, and neighbours share a part of their scores that differs between the classes.
 */
export function draw({ layout, rows, dependence, target }: Design, rng: Pcg64): Sample {
  const placed = places(layout, rows, rng);
  const field = (strength: number) =>
    fieldOf(placed.chromosome, placed.position, { ...dependence, strength }, rng);
  const source: Source = { rows, rng, field, strength: dependence.strength };
  switch (target.metric) {
    case "pearson":
    case "spearman":
      return { ...placed, ...drawPredictions(target, source) };
    case "share":
    case "mean":
      return { ...placed, ...drawOutcomes(target, source) };
    default:
      return { ...placed, ...drawClasses(target, source) };
  }
}

/** Random numbers of rows. */
interface Source {
  readonly rows: number;
  readonly rng: Pcg64;
  /** Component of a variance that neighbours share. [rows] */
  readonly field: (strength: number) => Float64Array;
  /** Variance of that component in the design; the rest to 1 is each row's own. */
  readonly strength: number;
}

type Drawn = Pick<Sample, "x" | "y">;
type TargetOf<Metric> = Extract<Target, { metric: Metric }>;

/** Predictions that correlate with measured values. */
function drawPredictions(
  target: TargetOf<"pearson" | "spearman">,
  { rows, rng, field, strength }: Source,
): Drawn {
  const [x, y] = [new Float64Array(rows), new Float64Array(rows)];
  const own = Math.sqrt(1 - strength);
  const skewed = target.metric === "pearson" && target.skewed;
  const noise = skewed ? () => -Math.log(1 - rng.nextFloat64()) - 1 : () => normal(rng);
  const rest = Math.sqrt(1 - target.r ** 2);
  const [ofX, ofY] = [field(strength), field(strength)];
  for (let i = 0; i < rows; i++) {
    x[i] = ofX[i] + own * noise();
    y[i] = target.r * x[i] + rest * (ofY[i] + own * noise());
  }
  return { x, y };
}

/** Outcomes of rows without labels. */
function drawOutcomes(target: TargetOf<"share" | "mean">, { rows, rng, field, strength }: Source): Drawn {
  const own = Math.sqrt(1 - strength);
  const shared = field(strength);
  const credit = scoring(target);
  const x = Float64Array.from(shared, (value) => credit(value + own * normal(rng)));
  return { x, y: new Float64Array(rows) };
}

/** Scores of positives, which cluster in patches, and of negatives. */
function drawClasses(
  target: TargetOf<"auroc" | "auprc" | "mcc">,
  { rows, rng, field, strength }: Source,
): Drawn {
  const [x, y] = [new Float64Array(rows), new Float64Array(rows)];
  const own = Math.sqrt(1 - strength);
  const patches = field(strength > 0 ? 1 : 0);
  const patchiness = strength > 0 ? PATCHINESS : 0;
  const base = patchLogit(target.prevalence, patchiness);
  const half = 0.5 * strength;
  const [shared, ofNegatives, ofPositives] = [field(half), field(half), field(half)];
  for (let i = 0; i < rows; i++) {
    const positive = rng.nextFloat64() < logistic(base + patchiness * patches[i]);
    const score = shared[i] + (positive ? ofPositives[i] : ofNegatives[i]) + own * normal(rng);
    y[i] = positive ? 1 : 0;
    x[i] = score + (positive ? target.shift : 0);
    if ("ties" in target && target.ties) x[i] = STEP * Math.round(x[i] / STEP);
    if (target.metric === "mcc") x[i] = x[i] > threshold(target) ? 1 : 0;
  }
  return { x, y };
}

/** True value of the metric: its limit for infinitely many rows. */
export function truthOf(target: Target): number {
  switch (target.metric) {
    case "share":
      return target.share;
    case "mean":
      return target.skewed ? Math.exp(SPREAD ** 2 / 2) : 0;
    case "pearson":
      return target.r;
    case "spearman":
      return (6 / Math.PI) * Math.asin(target.r / 2);
    case "mcc": {
      const at = threshold(target);
      const recall = normalCdf(target.shift - at);
      const falls = normalCdf(-at);
      const { prevalence: p } = target;
      const named = p * recall + (1 - p) * falls;
      return (p * (1 - p) * (recall - falls)) / Math.sqrt(named * (1 - named) * p * (1 - p));
    }
    case "auroc":
    case "auprc":
      return areaOf(target);
  }
}

/** Standard deviation of the logarithm of skewed values. */
const SPREAD = 0.8;

/** Maps a standard normal number to an outcome with this share, or to a value to average. */
function scoring(target: Extract<Target, { metric: "share" | "mean" }>): (z: number) => number {
  if (target.metric === "mean") return target.skewed ? (z) => Math.exp(SPREAD * z) : (z) => z;
  if (!target.ties) {
    const shift = normalQuantile(target.share);
    return (z) => (z + shift > 0 ? 1 : 0);
  }
  // A tie is a difference of less than half a step, and half a success.
  const half = STEP / 2;
  const shareAt = (shift: number) => (normalCdf(shift - half) + normalCdf(shift + half)) / 2;
  const shift = solve(shareAt, target.share);
  return (z) => (Math.abs(z + shift) < half ? 0.5 : z + shift > 0 ? 1 : 0);
}

const threshold = ({ shift }: { readonly shift: number }) => shift / 2 + 0.3;

/**
 * AUROC or average precision of scores N(0, 1) of negatives and N(shift, 1) of positives, on a grid of scores
 * from the highest down.
 */
function areaOf({ metric, shift, prevalence, ties }: Extract<Target, { metric: "auroc" | "auprc" }>): number {
  const step = ties ? STEP : 1e-3;
  let [above, falsely, area] = [0, 0, 0];
  for (let at = Math.round(12 / step); at >= -Math.round(9 / step); at--) {
    const low = (at - 0.5) * step;
    const recall = normalCdf(shift - low);
    const falls = normalCdf(-low);
    const gained = recall - above;
    const precision = (prevalence * recall) / (prevalence * recall + (1 - prevalence) * falls);
    area += metric === "auprc" ? gained * precision : (falls - falsely) * (recall - gained / 2);
    [above, falsely] = [recall, falls];
  }
  return area;
}

export function places(layout: Layout, rows: number, rng: Pcg64) {
  const chromosome = new Int32Array(rows);
  const position = new Float64Array(rows);
  if ("groups" in layout) {
    const { groups, unequal } = layout;
    const weights = Float64Array.from({ length: groups }, () => (unequal ? Math.exp(normal(rng)) : 1));
    const pick = unequal ? picker(weights, rng) : undefined;
    for (let i = 0; i < rows; i++) chromosome[i] = pick === undefined ? i % groups : pick();
    chromosome.sort();
    return { chromosome, position };
  }
  const starts: number[] = [0];
  for (const length of layout.chromosomes) starts.push(starts.at(-1)! + length);
  const total = starts.at(-1)!;
  const megabases = Math.ceil(total / 1e6);
  const density = Float64Array.from({ length: megabases }, () => Math.exp(normal(rng, 0, DENSITY)));
  const pick = picker(density, rng);
  const along = Float64Array.from({ length: rows }, () => (pick() + rng.nextFloat64()) * 1e6).sort();
  let number = 0;
  for (let i = 0; i < rows; i++) {
    while (along[i] >= starts[number + 1]) number++;
    chromosome[i] = number;
    position[i] = Math.floor(along[i] - starts[number]);
  }
  return { chromosome, position };
}

/** Draws positions with these weights. */
function picker(weights: Float64Array, rng: Pcg64): () => number {
  const sums = weights.slice();
  for (let i = 1; i < sums.length; i++) sums[i] += sums[i - 1];
  return () => {
    const at = rng.nextFloat64() * sums.at(-1)!;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Shared component of neighbours: normal numbers of variance `strength`, one per row. */
export function fieldOf(
  chromosome: Int32Array,
  position: Float64Array,
  { strength, range, shape }: Dependence,
  rng: Pcg64,
): Float64Array {
  const values = new Float64Array(chromosome.length);
  if (strength === 0) return values;
  const deviation = Math.sqrt(strength);
  let offset = 0;
  let value = 0;
  for (let i = 0; i < values.length; i++) {
    const fresh = i === 0 || chromosome[i] !== chromosome[i - 1];
    if (fresh) offset = integerBelow(rng, Math.max(range, 1));
    if (fresh || range === 0) {
      if (fresh) value = normal(rng);
    } else if (shape === "decay") {
      const kept = Math.exp((-3 * (position[i] - position[i - 1])) / range);
      value = kept * value + Math.sqrt(1 - kept * kept) * normal(rng);
    } else if (
      Math.floor((position[i] + offset) / range) !== Math.floor((position[i - 1] + offset) / range)
    ) {
      value = normal(rng);
    }
    values[i] = deviation * value;
  }
  return values;
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

const logits = new Map<string, number>();

/** Log-odds at which patches with this deviation have the prevalence on average. */
function patchLogit(prevalence: number, patchiness: number): number {
  const key = `${prevalence} ${patchiness}`;
  const known = logits.get(key);
  if (known !== undefined) return known;
  const average = (logit: number) => {
    let [total, weights] = [0, 0];
    for (let z = -6; z <= 6; z += 0.05) {
      const weight = Math.exp((-z * z) / 2);
      total += weight * logistic(logit + patchiness * z);
      weights += weight;
    }
    return total / weights;
  };
  const found = solve(average, prevalence);
  logits.set(key, found);
  return found;
}

/** Inverse of an increasing function. */
function solve(increasing: (x: number) => number, value: number): number {
  let [low, high] = [-20, 20];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
