import type { Protocol } from "../../models/model.ts";
import { type CustomForms, findSetting } from "../runs/forms.ts";
import type { JointModels } from "./compared-pairs.ts";
import type { ComparedGroup, RankedModel, Ranking } from "./comparison.ts";

/**
 * Mean ranks over groups of the same kind of setting and protocol, of the models that all of these groups have. Settings that
 * train and settings that do not are ranked apart.
 *
 * @param joint  of each group; undefined for a group without pairs, which counts in no ranking
 */
export function rankingsOf(
  groups: readonly ComparedGroup[],
  joint: readonly (JointModels | undefined)[],
  forms?: CustomForms,
): readonly Ranking[] {
  const found = new Map<string, { kind: Ranking["kind"]; protocol: Protocol; of: number[] }>();
  groups.forEach(({ setting, protocol }, group) => {
    if (joint[group] === undefined) return;
    const kind = findSetting(setting, forms)?.readyAtOnce === true ? "zero-shot" : "trained";
    const key = `${kind} ${protocol}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { kind, protocol, of: [group] });
    else known.of.push(group);
  });
  return [...found.values()].flatMap(({ kind, protocol, of }) => {
    const models = rankedModels(of.map((group) => joint[group]!));
    return models.length < 2 ? [] : [{ kind, protocol, groups: of, models }];
  });
}

function rankedModels(groups: readonly JointModels[]): RankedModel[] {
  const names = groups[0].names.filter((name) =>
    groups.every((group) => group.names.filter((other) => other === name).length === 1),
  );
  const draws = groups[0].deviations.draws;
  const valuesOf = ({ values, sign, names: own, deviations }: JointModels, draw?: number) =>
    names.map((name) => {
      const model = own.indexOf(name);
      const deviation = draw === undefined ? 0 : deviations.ofModel[model][draw];
      return sign * values.values[model] + deviation;
    });
  const ranks = groups.map((group) => ranksOf(valuesOf(group)));
  const drawn = Array.from({ length: draws }, (_, draw) =>
    meanOf(groups.map((group) => ranksOf(valuesOf(group, draw)))),
  );
  const means = meanOf(ranks);
  return names
    .map((name, model): RankedModel => {
      const sorted = Float64Array.from(drawn, (one) => one[model]).sort();
      const low = sorted[Math.floor(0.025 * draws)];
      const high = sorted[Math.ceil(0.975 * draws) - 1];
      return { name, meanRank: means[model], low, high, ranks: ranks.map((one) => one[model]) };
    })
    .sort((a, b) => a.meanRank - b.meanRank || (a.name < b.name ? -1 : 1));
}

/** Rank of each value, 1 the highest; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const above = values.filter((other) => other > value).length;
    const equal = values.filter((other) => other === value).length;
    return above + (equal + 1) / 2;
  });
}

const meanOf = (ranks: readonly (readonly number[])[]): number[] =>
  ranks[0].map((_, model) => ranks.reduce((sum, one) => sum + one[model], 0) / ranks.length);
