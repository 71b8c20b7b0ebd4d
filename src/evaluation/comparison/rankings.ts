import { type ModelsOnTask, rankBounds } from "../../metrics/best-model.ts";
import { mean } from "../../metrics/mean.ts";
import type { Protocol } from "../../models/model.ts";
import { type CustomForms, findSetting } from "../runs/forms.ts";
import type { JointModels } from "./compared-pairs.ts";
import type { ComparedGroup, RankedModel, Ranking } from "./comparison.ts";

/**
 * Mean ranks over groups of the same kind of setting and protocol, of the models that all of these groups
 * have. Settings that train and settings that do not are ranked apart.
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
    const models = rankedModels(of.flatMap((group) => joint[group] ?? []));
    return models.length < 2 ? [] : [{ kind, protocol, groups: of, models }];
  });
}

/** Mean ranks of the models that all groups have, among these models, with 95 % intervals. */
export function rankedModels(groups: readonly JointModels[]): RankedModel[] {
  const names = groups[0].names.filter((name) =>
    groups.every((group) => group.names.filter((other) => other === name).length === 1),
  );
  const tasks = groups.map((group): ModelsOnTask => {
    const models = names.map((name) => group.names.indexOf(name));
    const { values, deviations, sign } = group;
    return {
      values: models.map((model) => sign * values.values[model]),
      contributions: models.map((model) => values.contributions[model]),
      deviations: { ofModel: models.map((model) => deviations.ofModel[model]), draws: deviations.draws },
    };
  });
  const ranks = tasks.map(({ values }) => ranksOf(Array.from(values)));
  return names
    .map((name, model): RankedModel => {
      const own = ranks.map((ofTask) => ofTask[model]);
      const bounds = rankBounds(
        tasks,
        tasks.map(() => model),
      );
      return {
        name,
        meanRank: mean(own),
        low: mean(bounds.map(({ low }) => low)),
        high: mean(bounds.map(({ high }) => high)),
        ranks: own,
      };
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
