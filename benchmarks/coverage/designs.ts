/**
 * The fixed grid on which the coverage of intervals is measured. It was written before the intervals that it
 * evaluates and changes only by additions.
 */

/** Positions of rows: chromosomes of these lengths in bases, or groups of unequal size without positions. */
export type Layout =
  | { readonly name: string; readonly chromosomes: readonly number[] }
  | { readonly name: string; readonly groups: number; readonly unequal: boolean };

/** Correlation between neighbouring rows, or rows of one group. */
export interface Dependence {
  /** Correlation of two rows at the same position: 0 for independent rows. */
  readonly strength: number;
  /**
   * Distance in bases at which it vanishes: for "domains", stretches of this length in which it is constant
   * (the correlation of two rows falls linearly with distance); for "decay", an exponential that has fallen
   * to exp(−3). 0 within groups.
   */
  readonly range: number;
  readonly shape: "domains" | "decay";
}

/** A metric and the parameters of its true value. */
export type Target =
  | { readonly metric: "share"; readonly share: number; readonly ties: boolean }
  | { readonly metric: "mean"; readonly skewed: boolean }
  | {
      readonly metric: "auroc" | "auprc";
      readonly shift: number;
      readonly prevalence: number;
      readonly ties: boolean;
    }
  | { readonly metric: "mcc"; readonly shift: number; readonly prevalence: number }
  | { readonly metric: "pearson"; readonly r: number; readonly skewed: boolean }
  | { readonly metric: "spearman"; readonly r: number };

export interface Design {
  readonly layout: Layout;
  readonly rows: number;
  readonly dependence: Dependence;
  readonly target: Target;
}

const MB = 1_000_000;
const chromosomes = (name: string, ...lengths: readonly number[]): Layout => ({
  name,
  chromosomes: lengths.map((length) => length * MB),
});
const grouped = (groups: number, unequal = false): Layout => ({
  name: `${groups} ${unequal ? "unequal " : ""}groups`,
  groups,
  unequal,
});

/** Chromosomes 5, 10, 14, 18, 20 and 22: the benchmark's test split. */
const TEST = chromosomes("test chromosomes", 181, 134, 107, 80, 64, 51);
const AUTOSOMES = [
  249, 243, 198, 191, 181, 171, 159, 146, 141, 136, 135, 133, 115, 107, 102, 90, 81, 78, 59, 63, 48, 51,
];
const GENOME = chromosomes("22 autosomes", ...AUTOSOMES); // biome-ignore format: one line
const ONE = chromosomes("one chromosome of 100 Mb", 100);
const SIX = chromosomes("six stretches of 1 Mb", 1, 1, 1, 1, 1, 1);
const SMALL = chromosomes("three chromosomes of 5 Mb", 5, 5, 5);

const INDEPENDENT: Dependence = { strength: 0, range: 0, shape: "domains" };
const domains = (strength: number, megabases: number): Dependence => ({
  strength,
  range: megabases * MB,
  shape: "domains",
});
const decay = (strength: number, megabases: number): Dependence => ({
  strength,
  range: megabases * MB,
  shape: "decay",
});
const within = (strength: number): Dependence => ({ strength, range: 0, shape: "domains" });

/** Every combination. */
function crossed<T extends Target>(
  layouts: readonly Layout[],
  rows: readonly number[],
  dependences: readonly Dependence[],
  targets: readonly T[],
): Design[] {
  return layouts.flatMap((layout) =>
    rows.flatMap((n) =>
      targets.flatMap((target) =>
        dependences.map((dependence): Design => ({ layout, rows: n, dependence, target })),
      ),
    ),
  );
}

const share = (value: number, ties = false) => ({ metric: "share", share: value, ties }) as const;
const area = (metric: "auroc" | "auprc", shift: number, prevalence: number, ties = false) =>
  ({ metric, shift, prevalence, ties }) as const;
const mcc = (shift: number, prevalence: number) => ({ metric: "mcc", shift, prevalence }) as const;
const pearson = (r: number, skewed = false) => ({ metric: "pearson", r, skewed }) as const;
const spearman = (r: number) => ({ metric: "spearman", r }) as const;
const average = (skewed: boolean) => ({ metric: "mean", skewed }) as const;

/** Distances of the means of normal scores with an AUROC of 0.65 and 0.95. */
const [NEAR, FAR] = [0.545, 2.326];

export const DESIGNS: readonly Design[] = [
  ...crossed(
    [TEST],
    [300, 2000],
    [INDEPENDENT, decay(0.3, 0.3), domains(0.1, 2), domains(0.4, 2), decay(0.4, 2), domains(0.4, 5)],
    [share(0.55), share(0.95)],
  ),
  ...crossed([TEST], [1000], [INDEPENDENT, domains(0.4, 2)], [share(0.5, true), share(0.9, true)]),
  ...crossed([TEST], [300, 2000], [INDEPENDENT, decay(0.3, 2)], [share(0.99)]),
  ...crossed([GENOME], [1000], [INDEPENDENT, domains(0.4, 2), domains(0.4, 5)], [share(0.55), share(0.9)]),
  ...crossed([ONE], [300, 1000], [INDEPENDENT, decay(0.3, 0.3), domains(0.4, 2)], [share(0.7)]),
  ...crossed([SIX], [60, 600], [INDEPENDENT, domains(0.3, 1)], [share(0.6), share(0.95)]),
  ...crossed([SMALL], [200], [INDEPENDENT, domains(0.3, 0.2), domains(0.3, 2)], [share(0.7)]),
  ...[3, 6, 10, 30, 100].flatMap((groups) =>
    crossed([grouped(groups)], [20 * groups], [INDEPENDENT, within(0.3)], [share(0.6), share(0.95)]),
  ),
  ...[10, 30, 100].flatMap((groups) =>
    crossed([grouped(groups, true)], [20 * groups], [within(0.3)], [share(0.7)]),
  ),
  ...crossed(
    [TEST],
    [500, 2000],
    [INDEPENDENT, decay(0.3, 0.3), domains(0.4, 2)],
    [0.5, 0.1, 0.02].flatMap((prevalence) => [
      area("auroc", NEAR, prevalence),
      area("auroc", FAR, prevalence),
    ]),
  ),
  ...crossed([TEST], [1000], [INDEPENDENT, domains(0.4, 2)], [area("auroc", 1, 0.2, true)]),
  ...crossed(
    [GENOME],
    [1000],
    [INDEPENDENT, domains(0.4, 2)],
    [area("auroc", NEAR, 0.3), area("auroc", FAR, 0.05)],
  ),
  ...crossed([ONE], [500], [INDEPENDENT, domains(0.4, 2)], [area("auroc", 1, 0.3)]),
  ...crossed([SIX], [300], [INDEPENDENT, domains(0.3, 1)], [area("auroc", 1, 0.3)]),
  ...[6, 30, 100].flatMap((groups) =>
    crossed([grouped(groups)], [20 * groups], [INDEPENDENT, within(0.3)], [area("auroc", FAR, 0.3)]),
  ),
  ...crossed(
    [TEST],
    [1000, 3000],
    [INDEPENDENT, domains(0.4, 2)],
    [0.5, 0.1, 0.02].flatMap((prevalence) => [
      area("auprc", NEAR, prevalence),
      area("auprc", FAR, prevalence),
    ]),
  ),
  ...crossed([TEST], [1000], [INDEPENDENT, domains(0.4, 2)], [area("auprc", 1, 0.2, true)]),
  ...crossed([GENOME], [1000], [INDEPENDENT, domains(0.4, 2)], [area("auprc", 1, 0.3)]),
  ...[30, 100].flatMap((groups) =>
    crossed([grouped(groups)], [20 * groups], [within(0.3)], [area("auprc", 1, 0.3)]),
  ),
  ...crossed(
    [TEST],
    [100, 1000],
    [INDEPENDENT, domains(0.4, 2)],
    [pearson(0.1), pearson(0.6), pearson(0.1, true), pearson(0.6, true)],
  ),
  ...crossed([ONE, GENOME, SIX], [300], [domains(0.4, 1)], [pearson(0.4)]),
  ...crossed([grouped(6), grouped(30)], [300], [within(0.3)], [pearson(0.4)]),
  ...crossed(
    [TEST],
    [100, 1000],
    [INDEPENDENT, domains(0.4, 2)],
    [spearman(0.1), spearman(0.6), spearman(0.9)],
  ),
  ...crossed([TEST], [500, 2000], [INDEPENDENT, domains(0.4, 2)], [mcc(1, 0.5), mcc(2, 0.1)]),
  ...crossed([TEST, ONE], [200, 1000], [INDEPENDENT, domains(0.4, 2)], [average(true)]),
  ...crossed([TEST], [200], [INDEPENDENT, decay(0.4, 2)], [average(false)]),
];

/** `auroc 0.95, 2 % positive; 500 rows on test chromosomes; correlation 0.4 in domains of 2 Mb`. */
export function designTitle({
  layout,
  rows,
  dependence: { strength, range, shape },
  target,
}: Design): string {
  const over = `correlation ${strength} ${shape === "domains" ? "in domains of" : "decaying over"} ${range / MB} Mb`;
  const dependence =
    strength === 0 ? "independent" : "groups" in layout ? `correlation ${strength} within groups` : over;
  return `${targetTitle(target)}; ${rows} rows, ${layout.name}; ${dependence}`;
}

function targetTitle(target: Target): string {
  switch (target.metric) {
    case "share":
      return `share ${target.share}${target.ties ? ", ties" : ""}`;
    case "mean":
      return `mean of ${target.skewed ? "log-normal" : "normal"} values`;
    case "auroc":
    case "auprc":
      return `${target.metric.toUpperCase()}, shift ${target.shift}, ${100 * target.prevalence} % positive${target.ties ? ", ties" : ""}`;
    case "mcc":
      return `MCC, shift ${target.shift}, ${100 * target.prevalence} % positive`;
    case "pearson":
      return `Pearson r ${target.r}${target.skewed ? ", skewed" : ""}`;
    case "spearman":
      return `Spearman rho of normal r ${target.r}`;
  }
}
