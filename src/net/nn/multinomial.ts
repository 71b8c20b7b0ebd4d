import { logSoftmax, mul, neg, reduceMean, reduceSum } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

/**
 * Mean over the batch of −Σ_t counts[t] · log softmax(logits)[t]: how unlikely the reads of a window lie where they lie. The
 * multinomial coefficient, which no parameter changes, is left out; losses that the original prints contain it.
 *
 * @param logits  [b, t]
 * @param counts  [b, t], reads, 0 or more
 * @returns       nats
 * @see Avsec et al. 2021, doi:10.1038/s41588-021-00782-6
 */
export function multinomialError(logits: Sym, counts: Sym): Sym {
  return reduceMean(neg(reduceSum(mul(counts, logSoftmax(logits)), [1])), [0]);
}
