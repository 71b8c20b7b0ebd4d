import { InternalError } from "../../base/errors.ts";
import type { Pcg64 } from "../../base/pcg64.ts";
import {
  type Deviations,
  drawDeviations,
  modelTiers,
  probabilitiesOfBest,
} from "../../metrics/best-model.ts";
import { inferenceFrom } from "../../metrics/block-estimate.ts";
import { anyTimeLevel } from "../../metrics/confidence-sequence.ts";
import { holm } from "../../metrics/false-discovery.ts";
import { jackknifeError } from "../../metrics/jackknife.ts";
import { JointJackknife, type JointValues } from "../../metrics/joint-jackknife.ts";
import { rowsToDecide } from "../../metrics/sample-size.ts";
import { signFlipP } from "../../metrics/sign-flip.ts";
import { finiteEstimate, finiteOrNull, type Metric } from "../tasks/measurement.ts";
import type { MainStatistic } from "../tasks/task.ts";
import type { ComparedPair } from "./comparison.ts";

/** A model with its main metric over blocks. */
export interface ModelStatistic {
  readonly label: string;
  readonly name: string;
  readonly statistic: MainStatistic;
}

/** Models on the same rows, with their joint distribution. */
export interface JointModels {
  readonly labels: readonly string[];
  readonly names: readonly string[];
  readonly jackknife: JointJackknife;
  readonly values: JointValues;
  /** 1 where higher values are better, −1 where lower ones are. */
  readonly sign: 1 | -1;
  /** Deviations of `sign` times the values. */
  readonly deviations: Deviations;
  /** Probability of being the best. [models] */
  readonly best: readonly number[];
}

/**
 * The joint distribution of models; undefined without two of them.
 *
 * @param models  best first
 * @param rng     draws deviations
 * @param draws   their number; default 5,000
 * @throws {InternalError} when their blocks of rows differ
 */
export function jointModels(
  models: readonly ModelStatistic[],
  better: Metric["better"],
  rng: Pcg64,
  draws?: number,
): JointModels | undefined {
  if (models.length < 2) return undefined;
  const { blocks } = models[0].statistic;
  for (const { label, statistic } of models) {
    const { of } = statistic.blocks;
    if (of.length !== blocks.of.length || of.some((block, row) => block !== blocks.of[row])) {
      throw new InternalError(`${label} has other blocks of rows than ${models[0].label}`);
    }
  }
  const jackknife = new JointJackknife(
    blocks,
    models.map(({ statistic }) => statistic.statistic),
  );
  const sign = better === "lower" ? -1 : 1;
  const values = jackknife.together();
  const signed: JointValues = {
    ...values,
    values: values.values.map((value) => sign * value),
    contributions: values.contributions.map((parts) => parts.map((part) => sign * part)),
  };
  const deviations = drawDeviations(signed, rng, draws);
  return {
    labels: models.map(({ label }) => label),
    names: models.map(({ name }) => name),
    jackknife,
    values,
    sign,
    deviations,
    best: Array.from(probabilitiesOfBest(signed.values, deviations)),
  };
}

/** Minimum number of block groups with which a sign-flip test can give p-values below 0.001. */
const ENOUGH_GROUPS = 11;

/** Every pair of models, with p-values adjusted within them. */
export function comparedPairs(
  { labels, jackknife }: JointModels,
  rows: number,
  rng: Pcg64,
  flips?: number,
): readonly ComparedPair[] {
  const pairs = labels.flatMap((first, i) =>
    labels.slice(i + 1).map((second, j) => {
      const found = jackknife.difference(i, i + 1 + j);
      const { estimate, pAgainst } = inferenceFrom(jackknife.blocks, found);
      const level = anyTimeLevel(Math.max(rows, 1));
      const anyTime = inferenceFrom(jackknife.blocks, found, { level }).estimate;
      const error = jackknifeError(found.value, found.without);
      // With few groups, a sign-flip test has no small p-values.
      const test = found.groups.count < ENOUGH_GROUPS && error > 0 ? ("t" as const) : ("sign-flip" as const);
      const p = test === "t" ? pAgainst(0) : signFlipP(found, rng, flips);
      return { first, second, found, estimate, anyTime, error, test, p };
    }),
  );
  const adjusted = holm(pairs.map(({ p }) => p));
  return pairs.map(({ first, second, found, estimate, anyTime, error, test, p }, i) => ({
    first,
    second,
    value: found.value,
    difference: finiteEstimate(estimate),
    anyTime: finiteEstimate(anyTime),
    test,
    p: finiteOrNull(p),
    pHolm: finiteOrNull(adjusted[i]),
    q: null,
    rowsToDecide: error > 0 ? finiteOrNull(rowsToDecide(found.value, error, rows)) : null,
  }));
}

/** Tie group of each model, from 1, by the p-values of `comparedPairs`. [models] */
export function tiersOf(
  { labels, values: { values }, sign }: JointModels,
  pairs: readonly ComparedPair[],
): readonly number[] {
  const known = new Map(pairs.map(({ first, second, p }) => [`${first}\n${second}`, p ?? Number.NaN]));
  const between = (a: number, b: number) => known.get(`${labels[Math.min(a, b)]}\n${labels[Math.max(a, b)]}`);
  return modelTiers(
    values.map((value) => sign * value),
    (a, b) => between(a, b) ?? Number.NaN,
  );
}
