import { join } from "node:path";
import { expect, test } from "vitest";
import { openCheckpointFolder } from "../../../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { genaLm } from "../../../src/models/language/gena-lm.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { givenTo, madeWith } from "../graph-nodes.ts";
import { describeEncoder, type EncoderGolden, parameterCount } from "./golden-encoder.ts";

// Golden values: the published modules in float64 (torch 2.13).

const BASE = {
  vocab_size: 24,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_act: "gelu",
  pre_layer_norm: true,
  last_layer_norm: false,
};
/** Of the large model: with a norm at the end, which config.json does not mention. */
const { last_layer_norm: _, ...LARGE } = { ...BASE, layer_norm_eps: 1e-5 };
const layer = (part: string) => `bert.encoder.layer.0.${part}.weight`;

const both = {
  card: genaLm,
  rows: [
    [1, 5, 6, 7, 8, 9, 2],
    [1, 10, 11, 12, 2, 3, 3],
  ],
  mask: [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 0, 0],
  ],
  special: { special: { cls: 1, sep: 2, pad: 3, mask: 4 }, before: [1], after: [2] },
} satisfies Partial<EncoderGolden>;

const adapt = (name: string) => name.startsWith("bert.");

describeEncoder({
  ...both,
  title: "GENA-LM large, tiny golden model",
  config: LARGE,
  tensors: (graph, { hiddenStates, lastHidden, logits }) => ({
    attentionNorm: madeWith(graph, layer("pre_attention_ln")),
    context: givenTo(graph, layer("attention.output.dense")),
    attention: madeWith(graph, layer("attention.output.dense")),
    feedForwardNorm: madeWith(graph, layer("post_attention_ln")),
    gelu: givenTo(graph, layer("output.dense")),
    hidden0: hiddenStates[0],
    hidden1: hiddenStates[1],
    hidden2: hiddenStates[2],
    last: lastHidden,
    logits,
  }),
  masked: {
    attentionNorm: {
      sum: -21.989387,
      squares: 526.12268,
      first: [1.6018775, 0.37463303, 0.42689615],
      last: [-0.51023859, -2.6962269, 0.29451867],
    },
    context: {
      sum: -27.500627,
      squares: 162.803,
      first: [0.41997574, -0.99323609, 0.10082992],
      last: [-0.67018378, -1.1098871, 0.36297262],
    },
    attention: {
      sum: 58.167389,
      squares: 115.55746,
      first: [0.72191091, -0.47214142, -0.54225353],
      last: [-0.14314467, 1.1583799, -0.43903729],
    },
    feedForwardNorm: {
      sum: 19.861053,
      squares: 490.42255,
      first: [2.1312769, 0.029303879, 0.036863518],
      last: [-0.68539829, -0.73776076, -0.3757644],
    },
    gelu: {
      sum: 205.56601,
      squares: 261.34189,
      first: [-0.081711429, 0.21610962, 0.092955758],
      last: [-0.13447613, -0.06500129, 0.53974583],
    },
    hidden0: {
      sum: 22.657432,
      squares: 452.12606,
      first: [1.3769537, 0.39541581, 0.55275074],
      last: [-0.39093591, -2.0681637, 0.33931584],
    },
    hidden1: {
      sum: 60.260107,
      squares: 719.03899,
      first: [1.9846565, 1.0184837, -0.46536979],
      last: [-0.84190735, -0.5835127, -0.42949303],
    },
    hidden2: {
      sum: -9.6550811,
      squares: 441.91195,
      first: [1.0128907, -0.079105467, 0.88850621],
      last: [-1.5833387, -1.225897, -0.58016982],
    },
    logits: {
      sum: 11.813654,
      squares: 333.36659,
      first: [-1.4327708, -0.30478791, -0.19546866],
      last: [1.2401761, -1.6561097, 1.3997737],
    },
  },
  unmasked: {
    last: {
      sum: -9.6607945,
      squares: 444.48012,
      first: [1.0128907, -0.079105467, 0.88850621],
      last: [-1.4996594, -1.3024239, -0.55364958],
    },
    logits: {
      sum: 10.509355,
      squares: 339.24017,
      first: [-1.4327708, -0.30478791, -0.19546866],
      last: [1.3355884, -1.7276915, 1.4113613],
    },
  },
  classifier: {
    masked: [-0.30261909, -0.33617082, 0.09868041, -0.32065177, -0.35779789, -0.01019164],
    unmaskedSecond: [-0.39989378, -0.35726927, -0.06412641],
  },
  pseudoLogLikelihoods: [-19.7704215, -9.0026099],
  lora: {
    adapt,
    modules: 15,
    values: 2068,
    masked: [-0.42248194, -0.47412968, 0.07062551, -0.44794972, -0.42252185, -0.01236927],
  },
});

describeEncoder({
  ...both,
  title: "GENA-LM base, tiny golden model",
  config: BASE,
  tensors: (_graph, { lastHidden, logits }) => ({ last: lastHidden, logits }),
  masked: {
    last: {
      sum: 51.256154,
      squares: 1087.198,
      first: [1.9210435, 0.26343266, 1.4405002],
      last: [-1.3763251, -1.4039945, -1.0020675],
    },
    logits: {
      sum: 23.381695,
      squares: 314.69437,
      first: [-0.9806663, -0.48010103, -0.16545844],
    },
  },
  unmasked: {},
  classifier: {
    masked: [-0.23147402, -0.27289186, 0.0014289, -0.28960564, -0.30734234, -0.20338742],
  },
  pseudoLogLikelihoods: [-19.0650798, -9.4915688],
  lora: {
    adapt,
    modules: 15,
    values: 2068,
    masked: [-0.4450554, -0.39014596, -0.14387239, -0.52005432, -0.41805379, -0.33882441],
  },
});

test("the published sizes have the published numbers of parameters", () => {
  const count = (preset: string) => {
    const { config } = genaLm.checkpoints.find((each) => each.preset === preset)!;
    return parameterCount(genaLm.architecture(config, "config.json"));
  };
  expect(count("large-t2t")).toBe(336_691_456);
  expect(count("base-t2t")).toBe(110_650_880);
  expect(count("base-t2t-multi")).toBe(110_650_880);
  expect(count("base-lastln-t2t")).toBe(110_652_416);
});

test("plain BERT, sparse attention and rotary positions are errors", () => {
  expect(genaLm.recognises({ model_type: "bert" })).toBe(false);
  const refuse = (change: object) => () => genaLm.architecture({ ...BASE, ...change }, "m/config.json");
  expect(refuse({ position_embedding_type: "rotary" })).toThrow(/"position_embedding_type" is "rotary"/);
  expect(refuse({ pre_layer_norm: false })).toThrow(/"pre_layer_norm" is false/);
  expect(refuse({ num_attention_heads: 3 })).toThrow(/"num_attention_heads" is 3: expected a divisor/);
});

test("unused pretraining heads are ignored; an unknown tensor is an error", async () => {
  const folder = temporaryFolder();
  await initCheckpoint(genaLm, { preset: "toy", seed: 0, folder });
  const weights = join(folder, "model.safetensors");
  await using checkpoint = await openCheckpoint(weights);
  const arrays = [...checkpoint.arrays.values()];
  const data = await Promise.all(arrays.map(async ({ name }) => (await checkpoint.read(name)).data));
  const known = arrays.map(({ name, shape }, i) => ({
    name,
    dtype: "float32" as const,
    shape,
    data: async () => data[i] as Float32Array,
  }));
  const more = (name: string, shape: readonly number[]) => ({
    name,
    dtype: "float32" as const,
    shape,
    data: async () => new Float32Array(shape.reduce((a, b) => a * b)),
  });
  const heads = [
    more("bert.pooler.dense.weight", [32, 32]),
    more("bert.pooler.dense.bias", [32]),
    more("cls.seq_relationship.weight", [2, 32]),
    more("cls.seq_relationship.bias", [2]),
  ];
  await writeSafetensors(weights, [...known, ...heads], {});
  const opened = await openCheckpointFolder(folder, [genaLm]);
  expect(opened.parameters.size).toBe(known.length);
  await opened.close();
  await writeSafetensors(weights, [...known, more("cls.other.weight", [2])], {});
  await expect(openCheckpointFolder(folder, [genaLm])).rejects.toThrow(/has unexpectedly.*cls.other.weight/);
});
