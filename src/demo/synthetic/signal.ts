import type { Pcg64 } from "../../base/pcg64.ts";
import { TELOMERE } from "./background.ts";
import { exponential, gammaOfMeanOne, poisson } from "./draws.ts";

/** Mean cuts per base where nothing is open. */
export const BACKGROUND_CUTS = 0.01;
/** Sets the scale of activity: an element whose ln activity is ln 2 adds so many cuts. */
const CUTS_AT_UNIT = 2;
/** Shape of the gamma factor between one sample and the next: counts have variance m + m² / 10. */
const DISPERSION_SHAPE = 10;
/** Cuts of an element lie around its centre as a normal curve does, cut off at 450 bases. */
const SPREAD = 110;
const REACH = 450;

/** Mean cuts that an element of this ln activity adds to the background: none where no factor sits. */
export const meanCuts = (logActivity: number): number => CUTS_AT_UNIT * (Math.exp(logActivity) - 1);

/** Mean cuts in the 1,000 bases around an element's centre, background included. */
export const meanCutsInWindow = (logActivity: number): number =>
  1000 * BACKGROUND_CUTS + meanCuts(logActivity);

/** ln(mean cuts with the alternative letters / mean cuts with the reference letters), over 1,000 bases. */
export const logFoldChange = (reference: number, alternative: number): number =>
  Math.log(meanCutsInWindow(alternative) / meanCutsInWindow(reference));

/** Cumulative share of an element's cuts at offsets -450 .. 450 from its centre. */
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

/** One sample of a count with this mean: Poisson around a gamma-distributed rate (negative binomial). */
export function drawCount(rng: Pcg64, mean: number): number {
  return poisson(rng, mean * gammaOfMeanOne(rng, DISPERSION_SHAPE));
}

/**
 * Cuts per base of one chromosome in one cell line: Poisson background outside the telomeres, and each element's
 * negative binomial count spread around its centre.
 *
 * @param elements  centre, and mean cuts beyond the background
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
      cuts[centre - REACH + indexAbove(CUMULATIVE, rng.nextFloat64())]++;
    }
  }
  return cuts;
}

/** First index whose cumulative share is above u. */
function indexAbove(cumulative: Float64Array, u: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle] > u) high = middle;
    else low = middle + 1;
  }
  return low;
}
