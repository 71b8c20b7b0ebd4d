import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { nucleotideTransformer } from "../../../src/models/language/nucleotide-transformer.ts";
import { mul } from "../../../src/net/graph/build.ts";
import { givenTo, madeWith } from "../graph-nodes.ts";
import { hashedArray } from "../hashed-weights.ts";
import { describeEncoder, parameterCount } from "./golden-encoder.ts";

// Golden values: the published modules in float64 (torch 2.13).

const TINY = {
  vocab_size: 24,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 40,
  max_position_embeddings: 18,
  layer_norm_eps: 1e-12,
  position_embedding_type: "rotary",
  add_bias_fnn: false,
  emb_layer_norm_before: false,
  tie_word_embeddings: false,
  token_dropout: false,
  pad_token_id: 1,
  mask_token_id: 2,
};
const layer = (part: string) => `esm.encoder.layer.0.${part}.weight`;

describeEncoder({
  title: "Nucleotide Transformer v2, tiny golden model",
  card: nucleotideTransformer,
  config: TINY,
  rows: [
    [3, 6, 7, 8, 9, 10, 11],
    [3, 12, 13, 14, 15, 1, 1],
  ],
  mask: [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 0, 0],
  ],
  weight: ({ name, shape }) => (name.endsWith("inv_freq") ? frequencies(16) : hashedArray(name, shape)),
  tensors: (graph, { hiddenStates, lastHidden, logits }) => ({
    attentionNorm: madeWith(graph, layer("attention.LayerNorm")),
    query: madeWith(graph, layer("attention.self.query")),
    // the original scales the query; here the scores are scaled
    turned: mul(graph.nodes.find(({ op }) => op === "MatMul")!.inputs[0], 1 / Math.sqrt(16)),
    context: givenTo(graph, layer("attention.output.dense")),
    swiglu: givenTo(graph, layer("output.dense")),
    hidden0: hiddenStates[0],
    hidden1: hiddenStates[1],
    hidden2: hiddenStates[2],
    last: lastHidden,
    logits,
  }),
  masked: {
    attentionNorm: {
      sum: 7.6060736,
      squares: 337.13895,
      first: [-0.80151606, 1.0718619, 1.369601],
      last: [-0.14525269, 0.19628069, 0.18264069],
    },
    query: {
      sum: -37.357457,
      squares: 247.8895,
      first: [-1.9383919, -0.58678247, -1.515652],
      last: [-0.066496828, -0.047265737, -0.020421518],
    },
    turned: {
      sum: -6.777635,
      squares: 15.493094,
      first: [-0.48459798, -0.14669562, -0.378913],
      last: [-0.017671648, -0.012055414, -0.0052995828],
    },
    context: {
      sum: -1.0812492,
      squares: 63.74691,
      first: [0.30932405, 0.35687537, 0.0088219026],
      last: [0.11748085, 0.15039785, 0.41473629],
    },
    swiglu: {
      sum: -25.366852,
      squares: 110.91171,
      first: [-0.92129735, -0.14941653, -0.32660653],
      last: [-0.3518882, 0.13568504, -0.15808863],
    },
    hidden0: {
      sum: -1.5754235,
      squares: 7.994137,
      first: [-0.13497865, 0.16535999, 0.23673597],
      last: [0, 0, 0],
    },
    hidden1: {
      sum: -4.7422646,
      squares: 140.50399,
      first: [0.63073562, -0.11078446, 0.29689539],
      last: [-0.5960976, 0.15643054, -0.43615027],
    },
    hidden2: {
      sum: 15.775508,
      squares: 380.28618,
      first: [0.81921214, -1.0859379, -0.3415176],
      last: [-0.86249618, 1.553381, -0.15455311],
    },
    logits: {
      sum: -60.629542,
      squares: 337.46761,
      first: [-0.82877114, -0.061626949, -2.484663],
      last: [0.62751939, -1.294755, 1.6836309],
    },
  },
  unmasked: {
    last: {
      sum: 15.833651,
      squares: 381.22626,
      first: [0.81921214, -1.0859379, -0.3415176],
      last: [-0.62084292, 1.4297266, -0.27068631],
    },
    logits: {
      sum: -58.097674,
      squares: 263.23333,
      first: [-0.82877114, -0.061626949, -2.484663],
      last: [0.67504312, -0.52390671, 0.40801607],
    },
  },
  classifier: {
    masked: [0.07523537, 0.34885546, -0.4313854, 0.69414538, 0.27299417, -0.36577652],
    unmaskedSecond: [0.24014596, 0.73054835, 0.15503934],
  },
  special: { special: { cls: 3, pad: 1, mask: 2 }, before: [3], after: [] },
  pseudoLogLikelihoods: [-23.0574775, -14.4399182],
  lora: {
    adapt: (name) => name.startsWith("esm."),
    modules: 15,
    values: 1982,
    masked: [-0.04683952, -0.49564337, -0.14019916, -0.34796361, 0.61329759, -0.01715287],
    unmaskedSecond: [-0.45258838, 0.75516913, 0.41289402],
  },
});

/** By scripts/golden/nucleotide_transformer_v1.py: the ESM class of Transformers 4.37.1 in float64. */
const first = JSON.parse(
  readFileSync(new URL("../../golden/nucleotide-transformer-v1.json", import.meta.url), "utf8"),
);

describeEncoder({
  title: "Nucleotide Transformer v1, tiny model with a masked token",
  card: nucleotideTransformer,
  config: first.config,
  rows: first.rows,
  mask: first.mask,
  tensors: (_graph, { hiddenStates: [hidden0, hidden1, hidden2], logits }) => ({
    hidden0,
    hidden1,
    hidden2,
    logits,
  }),
  masked: first.masked,
  unmasked: first.unmasked,
  classifier: { masked: first["masked classes"], unmaskedSecond: first["unmasked classes"].slice(3) },
  special: { special: { cls: 3, pad: 1, mask: 2 }, before: [3], after: [] },
  pseudoLogLikelihoods: first["pseudo-log-likelihoods"],
});

function frequencies(headWidth: number) {
  const data = Float32Array.from({ length: headWidth / 2 }, (_, j) => 10_000 ** ((-2 * j) / headWidth));
  return { dtype: "float32", shape: [headWidth / 2], data } as const;
}

const architecture = (preset: string) => {
  const { config } = nucleotideTransformer.checkpoints.find((each) => each.preset === preset)!;
  return nucleotideTransformer.architecture(config, "config.json");
};

test("the published sizes have the published numbers of tensors and of parameters", () => {
  const parameters = (preset: string) => {
    const model = architecture(preset);
    const buffers = model.tensors.filter(({ name }) => name.endsWith("inv_freq"));
    return parameterCount(model) - parameterCount({ ...model, tensors: buffers });
  };
  expect(parameters("v2-50m-multi-species")).toBe(55_904_972);
  expect(parameters("v2-100m-multi-species")).toBe(97_889_132);
  expect(parameters("v2-250m-multi-species")).toBe(235_120_780);
  expect(parameters("v2-500m-multi-species")).toBe(498_345_436);
  expect(parameters("500m-human-ref")).toBe(485_699_306);
  expect(parameters("2.5b-multi-species")).toBe(2_547_801_226);
  expect(architecture("v2-50m-multi-species").tensors.length).toBe(192);
  expect(architecture("v2-500m-multi-species").tensors.length).toBe(447);
  expect(architecture("2.5b-multi-species").tensors.length).toBe(524);
});

test("the vocabulary of untrained checkpoints equals the published one", () => {
  const written = (preset: string) => {
    const { config } = nucleotideTransformer.checkpoints.find((each) => each.preset === preset)!;
    return nucleotideTransformer.tokenizerFiles!(config)["vocab.txt"];
  };
  expect(sha256Hex(written("v2-500m-multi-species"))).toMatch(/^c00e0ad166d6/);
  expect(sha256Hex(written("2.5b-multi-species"))).toMatch(/^f1b544e27897/);
});

test("ESM protein models are not recognised as this family", () => {
  const esm2 = { model_type: "esm", position_embedding_type: "rotary", token_dropout: true, vocab_size: 33 };
  expect(nucleotideTransformer.recognises(esm2)).toBe(false);
  for (const { config } of nucleotideTransformer.checkpoints) {
    expect(nucleotideTransformer.recognises(config)).toBe(true);
  }
});

test("the error for an invalid size names the key", () => {
  const refuse = (change: object) => () =>
    nucleotideTransformer.architecture({ ...TINY, ...change }, "m/config.json");
  expect(refuse({ num_attention_heads: 3 })).toThrow(/"num_attention_heads" is 3: expected a divisor/);
  expect(refuse({ hidden_size: 30 })).toThrow(/heads of even width/);
  expect(refuse({ position_embedding_type: "relative" })).toThrow(/"position_embedding_type" is "relative"/);
  expect(refuse({ tie_word_embeddings: true })).toThrow(/"tie_word_embeddings" is true/);
});
