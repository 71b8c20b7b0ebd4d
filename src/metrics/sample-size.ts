/** Normal quantile of a 95 % interval. */
const Z = 1.959963984540054;

/** Normal quantile of 80 %. */
const Z_OF_POWER = 0.8416212335729143;

/**
 * Rows for a 95 % interval of a proportion (accuracy, paired accuracy) of at most this half-width. The
 * variance is largest at one half, p(1 - p)/n <= 1/(4n), so n >= (z / 2w)². For independent rows.
 *
 * @param width  half-width of the interval, 0 to 1
 */
export const rowsForProportion = (width: number): number => Math.ceil((Z / (2 * width)) ** 2);

/**
 * Rows at which a difference is found with a probability of 80 % by a two-sided test at 5 %, from its
 * standard error at another number of rows: the error falls with the square root.
 *
 * @param difference  the true difference
 * @param error       its standard error at `rows`
 * @returns           infinity for a difference of 0
 */
export const rowsToDecide = (difference: number, error: number, rows: number): number =>
  Math.ceil(rows * (((Z + Z_OF_POWER) * error) / difference) ** 2);

/**
 * Smallest difference that a two-sided test at 5 % finds with a probability of 80 %.
 *
 * @param error  standard error of the difference
 */
export const detectableDifference = (error: number): number => (Z + Z_OF_POWER) * error;

/**
 * Rows of the smaller class for a 95 % interval of an AUROC of at most this half-width. For any
 * distributions, the variance is at most A(1 - A)/min(m, n) <= 1/(4 min(m, n)). One row more, because
 * DeLong's estimate divides by min(m, n) - 1.
 *
 * @param width  half-width of the interval, 0 to 1
 * @see Van Dantzig 1951; Birnbaum & Klose 1957, doi:10.1214/aoms/1177706794
 */
export const rowsPerClass = (width: number): number => rowsForProportion(width) + 1;

/**
 * Rows for a 95 % interval of a correlation (Pearson's under normality, Spearman's) of at most this
 * half-width. The interval is widest at zero correlation, where it is tanh(z / sqrt(n - 3)), so n >= 3 + (z /
 * atanh w)².
 *
 * @param width  half-width of the interval, 0 to 1
 * @see Bonett & Wright 2000, doi:10.1007/BF02294183: the variance of Spearman's r is (1 + r²/2)/(n - 3) on
 *      Fisher's scale, and the interval of r is widest at r = 0 as well
 */
export const rowsForCorrelation = (width: number): number => Math.ceil(3 + (Z / Math.atanh(width)) ** 2);

/**
 * Rows for a 95 % interval of an adjusted mutual information of five classes, with fixed clusters, of at most
 * this half-width.
 *
 * With probabilities p_ij of class i in cluster j, mean entropy H and mutual information I, the score of many
 * rows is N = I/H, and a row of class i in cluster j moves it by f_ij/n with f_ij = [ln p_ij − (1 − N/2)(ln
 * p_i + ln p_j)]/H. Its variance is E[f²]/n. A search over five classes of a seventh to a quarter of the rows
 * each, in up to 50 clusters, found the largest E[f²] with about five clusters, each mostly of one class, and
 * one row in six in another class's cluster: 0.48 for classes of equal size, 0.49 for those of the benchmark;
 * one half here. With a few hundred rows, where some pairs of class and cluster have one or two rows, the
 * jackknife gives up to a fifth more.
 *
 * @param width  half-width of the interval, 0 to 1
 */
export const rowsForMutualInformation = (width: number): number => Math.ceil((Z / width) ** 2 / 2);
