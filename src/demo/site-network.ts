import { sha256Hex } from "../base/digest.ts";
import type { Motif } from "../dna/motifs/motif.ts";
import type { Model } from "../models/model.ts";
import { add, constant, reduceSum, sigmoid, slice } from "../net/graph/build.ts";
import type { Sym } from "../net/graph/sym.ts";
import { convolutionLast } from "../net/nn/convolution-last.ts";
import { FreshLayers } from "../net/nn/init.ts";
import { linear } from "../net/nn/linear.ts";

// axes: b batch · l bases · c channels, two per motif

/** Name of the network in the demo's runs and results. */
export const SITE_NETWORK = "planted-sites";

/** Number of bases scanned for sites in the middle of a sequence: an element and its flanks. */
const MIDDLE = 600;

/** Lower bound of a motif's probabilities, which keeps scores finite. */
const MIN_PROBABILITY = 1e-3;

/**
 * Network with fixed motif scanners and trainable weights: it sums the occupancies of the sites of each
 * motif, on both strands of a sequence's middle, and learns one weight per motif and strand ab initio.
 *
 * The occupancy of a site is σ(score − best + 2), where score is the sum of ln(probability / ¼) over its
 * bases and best is the score of the consensus. A consensus site has 0.88.
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

/** The motifs as one convolution: weight [c, 4, kernel], and threshold [c] to add to its scores. */
function scanner(motifs: readonly Motif[]): { readonly weight: Sym; readonly threshold: Sym } {
  const kernel = Math.max(...motifs.map(({ width }) => width));
  const channels = 2 * motifs.length;
  const weight = new Float32Array(channels * 4 * kernel);
  const threshold = new Float32Array(channels);
  motifs.forEach(({ width, probabilities }, i) => {
    for (let at = 0; at < width; at++) {
      const scores = Array.from(probabilities.subarray(4 * at, 4 * at + 4), (p) =>
        Math.log(4 * Math.max(p, MIN_PROBABILITY)),
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
