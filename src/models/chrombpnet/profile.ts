import type { ProfilePrediction } from "./predictor.ts";

/**
 * The reads expected at each base of the window: softmax(logits) · e^logCounts, as the original writes them to bigWig files. The
 * counts are those of ln(1 + reads), so the sum is one read more than the prediction means.
 *
 * @returns  [outputLength], reads
 */
export function expectedProfile({ logits, logCounts }: ProfilePrediction): Float64Array {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const scale = Math.exp(logCounts) / weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight * scale);
}

/**
 * One prediction from those of a sequence and of its reverse complement: the mean of the logits, base by base, and of the
 * log counts.
 */
export function strandMean(forward: ProfilePrediction, reverse: ProfilePrediction): ProfilePrediction {
  const last = forward.logits.length - 1;
  return {
    logits: forward.logits.map((logit, i) => (logit + reverse.logits[last - i]!) / 2),
    logCounts: (forward.logCounts + reverse.logCounts) / 2,
  };
}
