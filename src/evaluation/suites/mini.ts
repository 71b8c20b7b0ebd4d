import { InputError } from "../../base/errors.ts";
import type { Suite, SuiteRow, SuiteSetting } from "./suite.ts";
import { WHOLE_SUITE } from "./whole.ts";

/** Half the length of an interval that the small suite keeps to, where nothing else is asked. */
export const MINI_WIDTH = 0.03;

/** The smallest class of task 3: HEPG2 has 33,948 of 216,746 peaks. */
const SMALLEST_SHARE = 33_948 / 216_746;

/** Trainings are cut as well, to rows and epochs that a laptop does in minutes: their numbers are not those of whole trainings. */
const SHORT_TRAINING = { trainRows: 4096, valRows: 1024, epochs: 10 };
const TRAINED = new Set(["probed", "fine-tuned", "ab-initio"]);

/** How many rows of a task make every interval of its main metrics short enough; each from the worst variance there is. */
function sizesOf(task: string, width: number): SuiteSetting {
  switch (task) {
    case "cell-type-elements":
      // Accuracy and clustering are of all rows; each line's AUROC needs enough rows of that line.
      return {
        limit: Math.max(Math.ceil(rowsPerClass(width) / SMALLEST_SHARE), rowsForMutualInformation(width)),
      };
    case "chromatin-activity":
      return {
        sample: { peaks: rowsForCorrelation(width), idr: rowsPerClass(width), nonpeaks: rowsPerClass(width) },
      };
    case "variant-effects":
      // Correlations are of the significant variants alone.
      return { sample: { significant: rowsForCorrelation(width), control: rowsPerClass(width) } };
    default:
      return { limit: rowsForShare(width) };
  }
}

/**
 * The five tasks on so few rows that 95 % intervals of the main metrics are at most this far from their middle to either end,
 * for independent rows and as far as the data have the rows: the Yoruban dsQTLs have 560 significant variants, whatever is
 * asked. Rows near each other are less than independent; the intervals over blocks of the genome say by how much.
 *
 * @param width  half of an interval's length
 * @throws {InputError} when it is not between 0.005 and 0.2
 */
export function miniSuite(width = MINI_WIDTH): Suite {
  if (!(width >= 0.005 && width <= 0.2)) {
    throw new InputError(`mini:${width} is not a width from 0.005 to 0.2`);
  }
  return {
    name: width === MINI_WIDTH ? "mini" : `mini:${width}`,
    title: `DART-Eval on a few rows: intervals of ±${width} at most`,
    rows: WHOLE_SUITE.rows.map((row): SuiteRow => {
      const sizes = sizesOf(row.task, width);
      const settings = Object.entries(row.settings).map(([name, own]): [string, SuiteSetting] => [
        name,
        { ...own, ...sizes, ...(TRAINED.has(name) ? { recipe: SHORT_TRAINING } : {}) },
      ]);
      return { ...row, settings: Object.fromEntries(settings) };
    }),
  };
}

/** The normal quantile of a 95 % interval. */
const Z = 1.959963984540054;

/**
 * Rows for a 95 % interval of a share (accuracy, paired accuracy) of at most this half-width: the variance of a share is
 * largest at one half, p(1 - p)/n <= 1/(4n), so n >= (z / 2w)². For independent rows.
 *
 * @param width  half the interval's length, 0 to 1
 */
export const rowsForShare = (width: number): number => Math.ceil((Z / (2 * width)) ** 2);

/**
 * Rows of the smaller class for the same of an AUROC: whatever the distributions, its variance is at most
 * A(1 - A)/min(m, n) <= 1/(4 min(m, n)). One row more than that, since DeLong's estimate of it divides by min(m, n) - 1.
 *
 * @see Van Dantzig 1951; Birnbaum & Klose 1957, doi:10.1214/aoms/1177706794
 */
export const rowsPerClass = (width: number): number => rowsForShare(width) + 1;

/**
 * Rows for the same of a correlation (Pearson's under normality, Spearman's): the interval is widest at no correlation, where it
 * is tanh(z / sqrt(n - 3)), so n >= 3 + (z / atanh w)².
 *
 * @see Bonett & Wright 2000, doi:10.1007/BF02294183: their variance of Spearman's is (1 + r²/2)/(n - 3) on Fisher's scale, and
 *   the interval of r is widest at r = 0 as well
 */
export const rowsForCorrelation = (width: number): number => Math.ceil(3 + (Z / Math.atanh(width)) ** 2);

/**
 * Rows for the same of an adjusted mutual information with the five cell lines, the clusters being given.
 *
 * With probabilities p_ij of line i in cluster j, entropies of their mean H and mutual information I, the score of many rows is
 * N = I/H, and a row of line i in cluster j moves it by f_ij/n with
 * f_ij = [ln p_ij − (1 − N/2)(ln p_i + ln p_j)]/H. So its variance is E[f²]/n. Of all ways in which five lines, each of a
 * seventh to a quarter of the rows, can lie in up to 50 clusters, E[f²] is largest about where there are five of them, each
 * mostly of one line, and one row of six in another's: 0.48 for lines of equal size, 0.49 for those of the benchmark, as found
 * by a search; one half here. For many rows: with a few hundred, of which some pairs of line and cluster have one or two, the
 * jackknife gives up to a fifth more.
 */
export const rowsForMutualInformation = (width: number): number => Math.ceil((Z / width) ** 2 / 2);
