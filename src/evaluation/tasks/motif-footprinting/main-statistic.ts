import { blocksBy } from "../../../metrics/blocks.ts";
import { pairedOutcomes } from "../../../metrics/paired-accuracy.ts";
import { comparedScores } from "../compared-scores.ts";
import { shareStatistic } from "../intervals.ts";
import { ofKind, type Predictions } from "../prediction.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import { distanceRules, distancesOf, groupingOf, likelihoodRules } from "./measure.ts";
import type { MotifRules } from "./motifs.ts";
import type { FootprintFacts } from "./rows.ts";

/** Accuracy of likelihoods, over backgrounds. */
export function footprintScoresStatistic(
  predictions: Predictions<FootprintFacts>,
  context: MeasureContext,
): MainStatistic<"accuracy"> {
  const scored = ofKind("likelihood", predictions);
  const member = (place: number) => Float64Array.from(scored, ({ values }) => values[place]);
  const { first, second } = comparedScores(member(1), member(2), context);
  return accuracyOver(scored, first, second, likelihoodRules[context.protocol]);
}

/** Accuracy of distances, over backgrounds. */
export function footprintDistancesStatistic(
  predictions: Predictions<FootprintFacts>,
  { protocol }: MeasureContext,
): MainStatistic<"accuracy"> {
  const given = ofKind("distance", predictions);
  const { trues, shuffles } = distancesOf(
    given.map(({ values }) => values),
    protocol,
  );
  return accuracyOver(given, trues, shuffles, distanceRules[protocol]);
}

function accuracyOver(
  predictions: readonly { readonly facts: FootprintFacts }[],
  trues: Float64Array,
  shuffles: Float64Array,
  { ties }: MotifRules,
): MainStatistic<"accuracy"> {
  const blocks = blocksBy(groupingOf(predictions).backgrounds, "background");
  return shareStatistic("accuracy", pairedOutcomes(trues, shuffles, ties), blocks);
}
