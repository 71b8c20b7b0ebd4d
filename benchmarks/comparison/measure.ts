import { Pcg64 } from "../../src/base/pcg64.ts";
import { shuffle } from "../../src/base/random.ts";
import { comparedPairs, tiersOf } from "../../src/evaluation/comparison/compared-pairs.ts";
import { rankedModels } from "../../src/evaluation/comparison/rankings.ts";
import { anyTimeEstimate, isNarrow } from "../../src/evaluation/runs/until-width.ts";
import { compareOver } from "../../src/metrics/block-estimate.ts";
import { anyTimeLevel } from "../../src/metrics/confidence-sequence.ts";
import { benjaminiHochberg } from "../../src/metrics/false-discovery.ts";
import type { Estimate } from "../../src/metrics/intervals.ts";
import { placeTitle, type Tasks } from "./designs.ts";
import { type Design, drawComparison, drawModels, metricOverBlocks } from "./simulate.ts";

const rngOf = (title: string, seed: number) =>
  new Pcg64(Uint32Array.from([...Array.from(title, (letter) => letter.charCodeAt(0)), seed]));

const titleOf = (design: Design) => `${placeTitle(design)} ${design.values.join(" ")}`;

/** Random sign flips; the command takes 9,999. */
const FLIPS = 999;

const EQUAL = 1e-9;

/** Shares of simulations of two models. */
export interface PairResult {
  readonly title: string;
  /** True difference. */
  readonly difference: number;
  /** Tests with p <= 0.05. */
  readonly found: number;
  /** Intervals that contain the true difference. */
  readonly covered: number;
  /** Tie groups that hold the truly better model. */
  readonly held: number;
}

export function measurePair(design: Design, replicates: number, seed: number): PairResult {
  const rng = rngOf(titleOf(design), seed);
  const difference = design.values[0] - design.values[1];
  let [found, covered, held] = [0, 0, 0];
  for (let i = 0; i < replicates; i++) {
    const joint = drawComparison(design, rng);
    const pairs = comparedPairs(joint, design.rows, rng, FLIPS);
    const [pair] = pairs;
    if (pair.p! <= 0.05) found++;
    if (pair.difference!.low <= difference && difference <= pair.difference!.high) covered++;
    if (tiersOf(joint, pairs)[0] === 1) held++;
  }
  const share = (count: number) => count / replicates;
  return {
    title: placeTitle(design),
    difference,
    found: share(found),
    covered: share(covered),
    held: share(held),
  };
}

/** Shares of simulations of several models on one task. */
export interface FamilyResult {
  readonly title: string;
  readonly values: readonly number[];
  /** Simulations in which Holm finds a difference between equal models; NaN where none are equal. */
  readonly anyFalse: number;
  /** Different pairs that Holm finds; NaN where all are equal. */
  readonly power: number;
  /** Tie groups that hold the truly best model (the first of several). */
  readonly held: number;
  /** Mean number of models in the tie group. */
  readonly size: number;
  /** Mean probability of being best that the truly best model is given. */
  readonly probability: number;
}

export function measureFamily(design: Design, replicates: number, seed: number): FamilyResult {
  const rng = rngOf(titleOf(design), seed);
  const { values } = design;
  let [anyFalse, equal, different, detected, held, size, probability] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < replicates; i++) {
    const joint = drawComparison(design, rng);
    let falsely = false;
    const pairs = comparedPairs(joint, design.rows, rng, FLIPS);
    for (const { first, second, pHolm } of pairs) {
      const same = Math.abs(values[Number(first)] - values[Number(second)]) < EQUAL;
      const isFound = pHolm! <= 0.05;
      if (same) {
        equal++;
        falsely ||= isFound;
      } else {
        different++;
        if (isFound) detected++;
      }
    }
    if (falsely) anyFalse++;
    const tiers = tiersOf(joint, pairs);
    if (tiers[0] === 1) held++;
    size += tiers.filter((tier) => tier === 1).length;
    probability += joint.best[0];
  }
  return {
    title: placeTitle(design),
    values,
    anyFalse: equal === 0 ? Number.NaN : anyFalse / replicates,
    power: detected / different,
    held: held / replicates,
    size: size / replicates,
    probability: probability / replicates,
  };
}

/** Shares of simulations of several models on several tasks. */
export interface TasksResult {
  readonly title: string;
  /** Mean share of equal pairs among those with q <= 0.05; 0 without any. */
  readonly falseDiscovery: number;
  /** Different pairs with q <= 0.05; NaN where all are equal. */
  readonly power: number;
  /** Intervals of mean ranks that contain the true one. */
  readonly ranks: number;
  /** Mean length of these intervals. */
  readonly length: number;
}

export function measureTasks({ title, tasks }: Tasks, replicates: number, seed: number): TasksResult {
  const rng = rngOf(title, seed);
  const models = tasks[0].values.map((_, model) => model);
  const trueRank = models.map(
    (model) =>
      tasks.reduce((sum, { values }) => {
        const above = values.filter((value) => value > values[model] + EQUAL).length;
        const equal = values.filter((value) => Math.abs(value - values[model]) <= EQUAL).length;
        return sum + above + (equal + 1) / 2;
      }, 0) / tasks.length,
  );
  let [falseDiscovery, different, detected, covered, length] = [0, 0, 0, 0, 0];
  for (let i = 0; i < replicates; i++) {
    const joint = tasks.map((design) => drawComparison(design, rng));
    const pairs = joint.flatMap((one, task) =>
      comparedPairs(one, tasks[task].rows, rng, FLIPS).map(({ first, second, p }) => {
        const { values } = tasks[task];
        return { p: p!, same: Math.abs(values[Number(first)] - values[Number(second)]) < EQUAL };
      }),
    );
    const q = benjaminiHochberg(pairs.map(({ p }) => p));
    const found = pairs.filter((_, pair) => q[pair] <= 0.05);
    const falsely = found.filter(({ same }) => same).length;
    falseDiscovery += found.length === 0 ? 0 : falsely / found.length;
    different += pairs.filter(({ same }) => !same).length;
    detected += found.length - falsely;
    for (const { name, low, high } of rankedModels(joint)) {
      if (low - EQUAL <= trueRank[Number(name)] && trueRank[Number(name)] <= high + EQUAL) covered++;
      length += high - low;
    }
  }
  return {
    title,
    falseDiscovery: falseDiscovery / replicates,
    power: detected / different,
    ranks: covered / (replicates * models.length),
    length: length / (replicates * models.length),
  };
}

/** Numbers of rows at which a growing evaluation is looked at. */
const LOOKS = [256, 512, 768, 1024, 1280, 1600, 2000];

/** Half-width at which a simulated evaluation ends. */
const WIDTH = 0.06;

/** Shares of simulations of two equal models, looked at seven times while rows are added. */
export interface SequenceResult {
  readonly title: string;
  /** Simulations in which the interval of the difference excludes 0 at some look. */
  readonly anyTimeFalse: number;
  /** The same with intervals of a fixed number of rows. */
  readonly fixedFalse: number;
  /** Intervals of the first model that contain the true value when its evaluation ends at the half-width. */
  readonly covered: number;
  /** Mean number of rows at the end. */
  readonly rows: number;
}

export function measureSequence(design: Design, replicates: number, seed: number): SequenceResult {
  const rng = rngOf(`sequence ${titleOf(design)}`, seed);
  const [truth] = design.values;
  let [anyTimeFalse, fixedFalse, covered, rows] = [0, 0, 0, 0];
  for (let i = 0; i < replicates; i++) {
    const { scores, targets, blocksAt } = drawModels(design, rng);
    const order = Array.from({ length: design.rows }, (_, row) => row);
    shuffle(rng, order);
    let [anyTime, fixed, ended] = [false, false, false];
    for (const look of LOOKS) {
      const chosen = order.slice(0, look).sort((a, b) => a - b);
      const blocks = blocksAt(chosen);
      const pick = (values: Float64Array) => Float64Array.from(chosen, (row) => values[row]);
      const [first, second] = scores.map((of) => metricOverBlocks(design, pick(of), pick(targets), blocks));
      const level = anyTimeLevel(look);
      const excludes = ({ low, high }: Estimate) => low > 0 || high < 0;
      const between = (at: number) => compareOver(blocks, first.statistic, second.statistic, at).difference;
      anyTime ||= excludes(between(level));
      fixed ||= excludes(between(0.95));
      if (!ended && (isNarrow(first, WIDTH) || look === design.rows)) {
        const { low, high } = anyTimeEstimate(first);
        if (low <= truth && truth <= high) covered++;
        rows += look;
        ended = true;
      }
    }
    if (anyTime) anyTimeFalse++;
    if (fixed) fixedFalse++;
  }
  return {
    title: placeTitle(design),
    anyTimeFalse: anyTimeFalse / replicates,
    fixedFalse: fixedFalse / replicates,
    covered: covered / replicates,
    rows: rows / replicates,
  };
}
