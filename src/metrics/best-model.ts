import type { Pcg64 } from "../base/pcg64.ts";
import { normal } from "../base/random.ts";
import type { JointValues } from "./joint-jackknife.ts";
import { sum } from "./mean.ts";

/** Random deviations of the values of several models from the truth, with their correlation. */
export interface Deviations {
  /** Deviation of each model in each draw. [models][draws] */
  readonly ofModel: readonly Float64Array[];
  readonly draws: number;
}

/** Draws for probabilities and critical values: a probability of 0.95 has a standard error of 0.003. */
const DRAWS = 5000;

/**
 * Draws deviations of several models' values: each block's contributions to all models are multiplied by the
 * same normal number (multiplier bootstrap), so that models that succeed on the same blocks deviate together.
 * A common factor gives each model Student's t of `dof` degrees of freedom.
 */
export function drawDeviations({ contributions, dof }: JointValues, rng: Pcg64, draws = DRAWS): Deviations {
  const ofModel = contributions.map(() => new Float64Array(draws));
  const groups = contributions[0]?.length ?? 0;
  const freedom = Math.max(dof, 1);
  for (let draw = 0; draw < draws; draw++) {
    const scale = Math.sqrt(freedom / chiSquare(rng, freedom));
    for (let group = 0; group < groups; group++) {
      const factor = scale * normal(rng);
      for (let model = 0; model < contributions.length; model++) {
        ofModel[model][draw] += factor * contributions[model][group];
      }
    }
  }
  return { ofModel, draws };
}

/**
 * A chi-square number of at least one degree of freedom (Marsaglia & Tsang 2000, doi:10.1145/358407.358414).
 */
function chiSquare(rng: Pcg64, dof: number): number {
  // A gamma number of shape below 1 is one of shape + 1, times a power of a uniform one.
  const boosted = dof < 2;
  const d = dof / 2 + (boosted ? 1 : 0) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(rng);
    const v = (1 + c * x) ** 3;
    if (v <= 0 || Math.log(1 - rng.nextFloat64()) >= (x * x) / 2 + d - d * v + d * Math.log(v)) continue;
    return 2 * d * v * (boosted ? (1 - rng.nextFloat64()) ** (2 / dof) : 1);
  }
}

/**
 * Probability of each model to have the highest true value, given the values: share of draws in which it is
 * the highest. Models that tie in a draw share it.
 *
 * @param values  higher is better. [models]
 */
export function probabilitiesOfBest(values: ArrayLike<number>, { ofModel, draws }: Deviations): Float64Array {
  const counts = new Float64Array(values.length);
  for (let draw = 0; draw < draws; draw++) {
    const drawn = ofModel.map((deviations, model) => values[model] + deviations[draw]);
    const most = Math.max(...drawn);
    const best = drawn.flatMap((value, model) => (value === most ? [model] : []));
    for (const model of best) counts[model] += 1 / best.length;
  }
  return counts.map((count) => count / draws);
}

/** Probability of statements about several models. */
const LEVEL = 0.95;

/**
 * Tie group of each model, from 1: group 1 holds the truly best model with a probability of at least 0.95;
 * group 2 is the same of the models outside group 1, and so on.
 *
 * A model of k is outside group 1 if it differs from some better one with p ≤ 0.05/(k − 1), by the
 * two-sided tests of pairs. The truly best model is wrongly left out only where one of its k − 1 tests fails
 * (Bonferroni). Two models are in different groups exactly where p ≤ 0.05. A critical value of the
 * largest difference (Hsu 1981, Dunnett 1955) is smaller but needs the correlation of the models, which few
 * blocks do not show: docs/decisions/0018-tie-groups-by-bonferroni.md has the simulations.
 *
 * @param values  higher is better. [models]
 * @param pOf     two-sided p-value of no difference between two models; NaN, where it is undefined, decides
 *                nothing
 * @returns       [models]
 */
export function modelTiers(
  values: ArrayLike<number>,
  pOf: (model: number, other: number) => number,
): number[] {
  const tiers = Array.from(values, () => 0);
  for (let tier = 1; tiers.includes(0); tier++) {
    const left = tiers.flatMap((found, model) => (found === 0 ? [model] : []));
    const decisive = (1 - LEVEL) / (left.length - 1);
    const best = left.filter((model) =>
      left.every((other) => !(values[other] > values[model] && pOf(model, other) <= decisive)),
    );
    for (const model of best) tiers[model] = tier;
  }
  return tiers;
}

/** Ranks that a model may have on one task, 1 the best. */
export interface RankBounds {
  readonly low: number;
  readonly high: number;
}

/** Several models on one task: values, higher is better, with their contributions and drawn deviations. */
export interface ModelsOnTask {
  readonly values: ArrayLike<number>;
  /** [models][groups] */
  readonly contributions: readonly Float64Array[];
  readonly deviations: Deviations;
}

/**
 * Ranks that a model may have on each of several tasks: it is placed behind the models that are higher by
 * more than the critical value of the largest of all its differences, over models and tasks, and before those
 * that are lower by as much. All bounds hold together with probability 0.95, also for models of equal true
 * values.
 *
 * Ranks of draws around the values have no such property: where models are close, their draws change places
 * more often than the values.
 *
 * @param tasks  with the same number of draws
 * @param model  its number on each task. [tasks]
 * @see Mogstad, Romano, Shaikh & Wilhelm 2024, doi:10.1093/restud/rdad006
 */
export function rankBounds(tasks: readonly ModelsOnTask[], model: readonly number[]): readonly RankBounds[] {
  const { draws } = tasks[0].deviations;
  const most = new Float64Array(draws);
  const errors = tasks.map(({ contributions }, task) =>
    contributions.map((of) =>
      Math.sqrt(sum(of.map((part, group) => (part - contributions[model[task]][group]) ** 2))),
    ),
  );
  tasks.forEach(({ deviations: { ofModel } }, task) => {
    const own = ofModel[model[task]];
    ofModel.forEach((of, other) => {
      const error = errors[task][other];
      if (!(error > 0)) return;
      for (let draw = 0; draw < draws; draw++) {
        most[draw] = Math.max(most[draw], Math.abs(of[draw] - own[draw]) / error);
      }
    });
  });
  const critical = most.sort()[Math.min(Math.ceil(LEVEL * draws), draws - 1)];
  return tasks.map(({ values }, task) => {
    let [above, below] = [0, 0];
    for (let other = 0; other < values.length; other++) {
      const difference = values[other] - values[model[task]];
      const distinct = Math.abs(difference) > critical * errors[task][other];
      if (distinct && difference > 0) above++;
      if (distinct && difference < 0) below++;
    }
    return { low: 1 + above, high: values.length - below };
  });
}
