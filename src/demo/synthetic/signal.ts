import { firstIndex } from "../../base/binary-search.ts";
import type { Pcg64 } from "../../base/pcg64.ts";
import { TELOMERE } from "./background.ts";
import { exponential, gammaOfMeanOne, poisson } from "./draws.ts";

/** Mean cuts per base outside elements. */
export const BACKGROUND_CUTS = 0.01;
/** Cuts added by an element with ln activity ln 2, which sets the scale of activity. */
const CUTS_AT_UNIT = 2;
/** Shape of the gamma-distributed rate: counts have variance m + m² / 10. */
const DISPERSION_SHAPE = 10;
/**
 * Standard deviation of an element's cuts around its centre, a normal distribution truncated at 450 bases.
 */
const SPREAD = 110;
const REACH = 450;

/** Mean cuts that an element of this ln activity adds to the background; 0 without sites. */
export const meanCuts = (logActivity: number): number => CUTS_AT_UNIT * (Math.exp(logActivity) - 1);

/** Mean cuts in the 1,000 bases around an element's centre, including background. */
export const meanCutsInWindow = (logActivity: number): number =>
  1000 * BACKGROUND_CUTS + meanCuts(logActivity);

/** ln(mean cuts with the alternative allele / mean cuts with the reference allele), over 1,000 bases. */
export const logFoldChange = (reference: number, alternative: number): number =>
  Math.log(meanCutsInWindow(alternative) / meanCutsInWindow(reference));

/** Cumulative distribution of an element's cuts at offsets -450 .. 450 from its centre. */
const CUMULATIVE = (() => {
  const shares = Float64Array.from({ length: 2 * REACH + 1 }, (_, i) => {
    const z = (i - REACH) / SPREAD;
    return Math.exp(-0.5 * z * z);
  });
  const sum = shares.reduce((a, b) => a + b);
  let cumulative = 0;
  return shares.map((share) => {
    cumulative += share / sum;
    return cumulative;
  });
})();

/** Negative binomial variate: Poisson with a gamma-distributed rate. */
export function drawCount(rng: Pcg64, mean: number): number {
  return poisson(rng, mean * gammaOfMeanOne(rng, DISPERSION_SHAPE));
}

/**
 * Draws the cuts per base of one chromosome in one cell line: Poisson background outside the telomeres, plus
 * a negative binomial count per element distributed around its centre.
 *
 * @param elements  centre, and mean cuts in addition to the background
 * @returns         one whole number per base
 */
export function drawCuts(
  rng: Pcg64,
  length: number,
  elements: Iterable<{ readonly centre: number; readonly mean: number }>,
): Uint16Array {
  const cuts = new Uint16Array(length);
  const step = () => exponential(rng, 1 / BACKGROUND_CUTS);
  for (let at = TELOMERE + step(); at < length - TELOMERE; at += step()) cuts[Math.floor(at)]++;
  for (const { centre, mean } of elements) {
    for (let left = drawCount(rng, mean); left > 0; left--) {
      cuts[centre - REACH + indexAbove(rng.nextFloat64())]++;
    }
  }
  return cuts;
}

/** First index whose cumulative share is above u. */
const indexAbove = (u: number) => firstIndex(0, CUMULATIVE.length - 1, (i) => CUMULATIVE[i] > u);
