import {
  cast,
  gatherElements,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  squeeze,
  sub,
  unsqueeze,
} from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

/**
 * −log softmax(logits)[label], for each row.
 *
 * @param logits  [b, classes]
 * @param labels  int32 [b], 0 ≤ label < classes
 * @returns       [b], nats
 */
export function crossEntropies(logits: Sym, labels: Sym): Sym {
  const picked = gatherElements(logSoftmax(logits), unsqueeze(cast(labels, "int64"), 1), 1);
  return neg(squeeze(picked, 1));
}

/** Mean over the batch of `crossEntropies`. */
export const crossEntropy = (logits: Sym, labels: Sym) => reduceMean(crossEntropies(logits, labels), [0]);

/** Mean over all elements of (a − b)². */
export function meanSquaredError(a: Sym, b: Sym): Sym {
  const difference = sub(a, b);
  return reduceMean(
    mul(difference, difference),
    difference.shape.map((_, axis) => axis),
  );
}
