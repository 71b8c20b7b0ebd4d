import { blockMeans, blocksBy } from "../../../metrics/blocks.ts";
import { clusteredProportion } from "../../../metrics/clustered-proportion.ts";
import { benjaminiHochberg } from "../../../metrics/false-discovery.ts";
import { type Estimate, waldInterval } from "../../../metrics/intervals.ts";
import { mean } from "../../../metrics/mean.ts";
import { pairedOutcomes, type TieRule } from "../../../metrics/paired-accuracy.ts";
import { wilcoxon } from "../../../metrics/wilcoxon.ts";
import type { TieTolerance } from "../measurement.ts";

/** The comparisons of a cell as columns: one entry for each background, motif and strand. */
export interface Comparisons {
  readonly motifs: readonly string[];
  /** Family by motif, if known. */
  readonly families: ReadonlyMap<string, string>;
  readonly backgrounds: readonly (string | number)[];
  /** Scores of the true motif, expected to be larger. */
  readonly trues: Float64Array;
  /** Scores of the shuffled motif. */
  readonly shuffles: Float64Array;
  /**
   * Credit for the true motif moving the score further from the background's than its shuffle did; absent for
   * distances.
   */
  readonly further?: Float64Array;
  /** Absent if scores are compared exactly. */
  readonly ties?: TieTolerance;
}

/** Rules for a motif's comparisons. */
export interface MotifRules {
  readonly ties: TieRule;
  /**
   * Whether the two strands of a background are independent in test and interval, as in the original; else a
   * background counts once, since its strands differ only in direction.
   */
  readonly strandsApart: boolean;
}

/** Result of one motif. NaN if undefined. */
export interface MotifResult {
  readonly motif: string;
  readonly family: string | undefined;
  readonly accuracy: Estimate;
  /** One-sided Wilcoxon signed-rank test that the true motif has the larger number. */
  readonly p: number;
  /** Number of paired differences; the smallest attainable p-value is 2^−n. */
  readonly tested: number;
  /** p adjusted over all motifs (Benjamini–Hochberg). */
  readonly q: number;
  /**
   * Share of comparisons in which the true motif moved the score further from the background's; NaN for
   * distances.
   */
  readonly vsBackground: number;
}

/** Results of all motifs, in order of first appearance. */
export function motifResults(comparisons: Comparisons, rules: MotifRules): readonly MotifResult[] {
  const { motifs, families, backgrounds, trues, shuffles, further } = comparisons;
  const outcomes = pairedOutcomes(trues, shuffles, rules.ties);
  const results = [...groupsOf(motifs)].map(([motif, rows]) => {
    const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]);
    const blocks = blocksBy(
      rows.map((row) => backgrounds[row]),
      "background",
    );
    const credits = pick(outcomes);
    const n = rows.length;
    const value = mean(credits);
    const differences = Float64Array.from(rows, (row) => trues[row] - shuffles[row]);
    const tested = rules.strandsApart ? differences : blockMeans(differences, blocks);
    return {
      motif,
      family: families.get(motif),
      accuracy: rules.strandsApart
        ? { ...waldInterval(Math.round(value * n), n), value }
        : clusteredProportion(credits, blocks),
      p: wilcoxon(tested, { alternative: "greater" }).p,
      tested: tested.length,
      vsBackground: further === undefined ? Number.NaN : mean(pick(further)),
    };
  });
  const q = benjaminiHochberg(results.map(({ p }) => p));
  return results.map((result, i) => ({ ...result, q: q[i] }));
}

/** Indices of each key, in order of first appearance. */
export function groupsOf(keys: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  keys.forEach((key, place) => {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  });
  return groups;
}
