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
