import { type BlockGroups, groupLadder, groupSums } from "./block-groups.ts";
import type { BlockStatistic, Blocks } from "./blocks.ts";
import {
  DEPENDENT,
  degreesOfFreedom,
  groupsOn,
  type LeftOutGroups,
  leaveOutOn,
  rarestClass,
  valuesWithout,
} from "./jackknife.ts";
import { sum } from "./mean.ts";

/** One statistic of several models, with its values when each group of blocks is left out for all of them. */
export interface JointValues {
  /** [models] */
  readonly values: Float64Array;
  /**
   * Contribution of each group to each value, scaled: their sum of squares is the jackknife variance.
   * [models][groups]
   */
  readonly contributions: readonly Float64Array[];
  /** Degrees of freedom: the effective number of groups. */
  readonly dof: number;
}

/**
 * Delete-one-group jackknife of one statistic for several models on the same rows. Values without a group are
 * computed once for each model and grouping, for all pairs of models.
 */
export class JointJackknife {
  /** Values with every row. [models] */
  readonly values: Float64Array;
  private readonly ladder;
  private readonly cached: readonly Map<BlockGroups, Float64Array>[];

  constructor(
    readonly blocks: Blocks,
    private readonly statistics: readonly BlockStatistic[],
  ) {
    const once = new Int32Array(blocks.sizes.length).fill(1);
    this.ladder = groupLadder(blocks);
    this.values = Float64Array.from(statistics, (statistic) => statistic(once));
    this.cached = statistics.map(() => new Map());
  }

  /**
   * The first model minus the second, with groups chosen for the difference: the numbers of `compareOver`.
   *
   * @param first   number of a model, from 0
   * @param second  number of another
   */
  difference(first: number, second: number): LeftOutGroups {
    const [a, b] = [this.statistics[first], this.statistics[second]];
    return leaveOutOn(this.ladder, this.blocks, {
      value: this.values[first] - this.values[second],
      valuesWithout: (groups) => {
        const others = this.without(second, groups);
        return this.without(first, groups).map((value, group) => value - others[group]);
      },
      classes: [...(a.classes ?? []), ...(b.classes ?? [])],
      rarest: Math.min(rarestClass(a), rarestClass(b)),
    });
  }

  /** All models over one grouping, chosen by the dependence of neighbours pooled over models. */
  together(): JointValues {
    const { groups, contributions } = groupsOn(this.ladder, (groups) => {
      const contributions = this.statistics.map((_, model) => this.contributions(model, groups));
      return { contributions, neighbours: { dependent: neighboursDepend(groups, contributions) } };
    });
    const classes = this.statistics.flatMap((statistic) => statistic.classes ?? []);
    const sizes = [this.blocks.sizes, ...classes].map((rows) => groupSums(groups, rows));
    return {
      values: this.values,
      contributions,
      dof: Math.min(...sizes.map(degreesOfFreedom)),
    };
  }

  private without(model: number, groups: BlockGroups): Float64Array {
    const known = this.cached[model].get(groups);
    if (known !== undefined) return known;
    const values = valuesWithout(groups, this.statistics[model]);
    this.cached[model].set(groups, values);
    return values;
  }

  private contributions(model: number, groups: BlockGroups): Float64Array {
    const scale = Math.sqrt((groups.count - 1) / groups.count);
    return this.without(model, groups).map((rest) => scale * (this.values[model] - rest));
  }
}

/**
 * One test for the dependence of neighbouring groups over all models: products of neighbours' contributions
 * to the difference of a model from the mean model, of equal weight per model. With two models it is the test
 * of their difference.
 */
function neighboursDepend({ follows, count }: BlockGroups, contributions: readonly Float64Array[]): boolean {
  const centre = Float64Array.from(
    { length: count },
    (_, group) => sum(contributions.map((ofModel) => ofModel[group])) / contributions.length,
  );
  const products = new Float64Array(count);
  for (const ofModel of contributions) {
    const apart = ofModel.map((value, group) => value - centre[group]);
    const squares = sum(apart.map((value) => value * value));
    if (!(squares > 0)) continue;
    for (let group = 1; group < count; group++) {
      if (follows[group] === 1)
        products[group] += (apart[group] * apart[group - 1]) / squares + 1 / count ** 2;
    }
  }
  return sum(products) > DEPENDENT * Math.sqrt(sum(products.map((product) => product * product)));
}
