import { CONSENSUS_SITES } from "../../src/demo/synthetic/motifs.ts";
import type { Model } from "../../src/models/model.ts";
import { add, constant, reduceSum, relu, slice } from "../../src/net/graph/build.ts";
import { convolutionLast } from "../../src/net/nn/convolution-last.ts";
import { FreshLayers } from "../../src/net/nn/init.ts";
import { linear } from "../../src/net/nn/linear.ts";
import { IUPAC } from "../iupac.ts";

/** Factors active in GM12878, and two that are active in every cell line. */
const NAMES = ["CTCF", "SP1", "NRF1", "NFY", "CREB", "ETS", "EBF1", "NFKB", "RUNX", "AP1"];
const SITES = CONSENSUS_SITES.filter(({ name }) => NAMES.includes(name)).map(({ consensus }) => consensus);
const KERNEL = Math.max(...SITES.map(({ length }) => length));

/**
 * Convolution that scans for the sites on both strands. The weight [2 · sites, 4, KERNEL] is 1 for each
 * allowed base; the threshold [2 · sites] leaves 0.5 for a full match and −0.5 for one mismatch.
 */
function scanner() {
  const channels = 2 * SITES.length;
  const weight = new Float32Array(channels * 4 * KERNEL);
  const threshold = new Float32Array(channels);
  SITES.forEach((consensus, site) => {
    for (const strand of [0, 1]) {
      const channel = 2 * site + strand;
      [...consensus].forEach((letter, i) => {
        for (const base of IUPAC[letter]) {
          const code = "ACGT".indexOf(base);
          const [at, row] = strand === 0 ? [i, code] : [consensus.length - 1 - i, 3 - code];
          weight[(channel * 4 + row) * KERNEL + at] = 1;
        }
      });
      threshold[channel] = 0.5 - consensus.length;
    }
  });
  return {
    weight: constant({ dtype: "float32", shape: [channels, 4, KERNEL], data: weight }),
    threshold: constant({ dtype: "float32", shape: [channels], data: threshold }),
  };
}

/**
 * Predicts from how often known binding sites occur in the middle of a sequence: one number is learned for
 * each.
 */
export const siteCounts: Model = {
  name: "site-counts",
  identity: "site-counts 1",
  network: {
    shortest: 1000,
    build({ length, outputs }) {
      const layers = new FreshLayers();
      const output = layers.linear("output", 2 * SITES.length, outputs);
      const from = Math.floor((length - 600) / 2);
      return {
        tensors: layers.tensors,
        logits(x) {
          const { weight, threshold } = scanner();
          const middle = slice(x, 1, from, from + 600);
          const hits = relu(add(convolutionLast({ weight }, middle), threshold));
          return linear(output, reduceSum(hits, [1]));
        },
      };
    },
  },
};
