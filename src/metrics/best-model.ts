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
  const freedom = Math.max(Math.round(dof), 1);
  for (let draw = 0; draw < draws; draw++) {
    let chiSquare = 0;
    for (let i = 0; i < freedom; i++) chiSquare += normal(rng) ** 2;
    const scale = Math.sqrt(freedom / chiSquare);
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

/**
 * Models that may have the highest true value: multiple comparisons with the best. A model is left out where
 * some other is higher by more than the critical value of the largest of its differences, so that the truly
 * best model is in the set with probability `level`, however many models there are.
 *
 * @param values  higher is better. [models]
 * @returns       numbers of the models in the set, ascending; never empty for finite values
 * @see Hsu 1981, doi:10.1214/aos/1176345582; Dunnett 1955, doi:10.1080/01621459.1955.10501294
 */
export function bestModels(
  values: ArrayLike<number>,
  contributions: readonly Float64Array[],
  { ofModel, draws }: Deviations,
  level = 0.95,
): number[] {
  const models = Array.from({ length: values.length }, (_, model) => model);
  return models.filter((model) => {
    const others = models.filter((other) => other !== model);
    const errors = others.map((other) =>
      Math.sqrt(sum(contributions[other].map((part, group) => (part - contributions[model][group]) ** 2))),
    );
    const most = Float64Array.from({ length: draws }, (_, draw) =>
      others.reduce((most, other, i) => {
        const deviation = (ofModel[other][draw] - ofModel[model][draw]) / errors[i];
        return errors[i] > 0 ? Math.max(most, deviation) : most;
      }, Number.NEGATIVE_INFINITY),
    ).sort();
    const critical = most[Math.min(Math.ceil(level * draws), draws - 1)];
    return others.every((other, i) => {
      const difference = values[other] - values[model];
      return errors[i] > 0 ? difference <= critical * errors[i] : difference <= 0;
    });
  });
}
