import { gatherElements, logSoftmax, slice, squeeze, unsqueeze } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";

/**
 * log P(token i | tokens before i) for i ≥ 1, by the softmax over the whole vocabulary.
 *
 * @param logits  [b, t, v]; position i predicts token i + 1
 * @param ids     int32 [b, t]
 * @returns       [b, t − 1], nats; entry j belongs to token j + 1, the first token has none
 */
export function tokenLogLikelihoods(logits: Sym, ids: Sym): Sym {
  const predicted = logSoftmax(slice(logits, 1, 0, -1));
  const seen = unsqueeze(slice(ids, 1, 1), 2);
  return squeeze(gatherElements(predicted, seen, 2), 2);
}
