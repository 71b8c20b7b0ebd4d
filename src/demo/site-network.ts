import { sha256Hex } from "../base/digest.ts";
import type { Motif } from "../dna/motifs/motif.ts";
import type { Model } from "../models/model.ts";
import { add, constant, reduceSum, sigmoid, slice } from "../net/graph/build.ts";
import type { Sym } from "../net/graph/sym.ts";
import { convolutionLast } from "../net/nn/convolution-last.ts";
import { FreshLayers } from "../net/nn/init.ts";
import { linear } from "../net/nn/linear.ts";

// axes: b batch · l bases · c channels, two per motif

/** How the demo's questions call it. */
export const SITE_NETWORK = "planted-sites";

/** Letters in the middle of a sequence that are searched for sites: an element and what lies beside it. */
const MIDDLE = 600;

/** A letter that a motif never has would make a score infinite. */
const LEAST_PROBABILITY = 1e-3;

/**
 * A network that is given what was planted: where the motifs of a collection sit on either strand of a sequence's middle, and
 * how well each fits. What it learns, ab initio, is one number for each: what a site adds to the output.
 *
 * A site counts σ(score − best + 2), score being ln(probability / ¼) summed over its letters and best that of the motif's best
 * letters, so one that fits in every letter counts 0.88.
 */
export function siteNetwork(motifs: readonly Motif[]): Model {
  const digest = sha256Hex(JSON.stringify(motifs.map(({ probabilities }) => [...probabilities])));
  return {
    name: SITE_NETWORK,
    identity: `${SITE_NETWORK} version 1, ${digest}`,
    network: {
      shortest: MIDDLE,
      build({ length, outputs }) {
        const layers = new FreshLayers();
        const output = layers.linear("output", 2 * motifs.length, outputs);
        const from = Math.floor((length - MIDDLE) / 2);
        return {
          tensors: layers.tensors,
          logits(x) {
            const { weight, threshold } = scanner(motifs);
            const scores = convolutionLast({ weight }, slice(x, 1, from, from + MIDDLE));
            return linear(output, reduceSum(sigmoid(add(scores, threshold)), [1]));
          },
        };
      },
    },
  };
}

/** The motifs as one convolution, weight [c, 4, kernel], and what is added to its scores. */
function scanner(motifs: readonly Motif[]): { readonly weight: Sym; readonly threshold: Sym } {
  const kernel = Math.max(...motifs.map(({ width }) => width));
  const channels = 2 * motifs.length;
  const weight = new Float32Array(channels * 4 * kernel);
  const threshold = new Float32Array(channels);
  motifs.forEach(({ width, probabilities }, i) => {
    for (let at = 0; at < width; at++) {
      const scores = Array.from(probabilities.subarray(4 * at, 4 * at + 4), (p) =>
        Math.log(4 * Math.max(p, LEAST_PROBABILITY)),
      );
      scores.forEach((score, code) => {
        weight[(2 * i * 4 + code) * kernel + at] = score;
        weight[((2 * i + 1) * 4 + 3 - code) * kernel + width - 1 - at] = score;
      });
      for (const channel of [2 * i, 2 * i + 1]) threshold[channel] -= Math.max(...scores);
    }
    for (const channel of [2 * i, 2 * i + 1]) threshold[channel] += 2;
  });
  return {
    weight: constant({ dtype: "float32", shape: [channels, 4, kernel], data: weight }),
    threshold: constant({ dtype: "float32", shape: [channels], data: threshold }),
  };
}
