import type { Architecture, ReadTensor } from "../../src/models/language/architecture.ts";
import { caduceus } from "../../src/models/language/caduceus.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { dnabert2 } from "../../src/models/language/dnabert2.ts";
import { genaLm } from "../../src/models/language/gena-lm.ts";
import { hyenadna } from "../../src/models/language/hyenadna.ts";
import type { AdaptedWeight } from "../../src/models/language/lora.ts";
import { LoraAdapters } from "../../src/models/language/lora.ts";
import { mistralDna } from "../../src/models/language/mistral-dna.ts";
import { nucleotideTransformer } from "../../src/models/language/nucleotide-transformer.ts";
import type { DeclaredTensor } from "../../src/models/language/parameters.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { input } from "../../src/net/graph/build.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { rotaryFrequencies } from "../../src/net/nn/position-encoding.ts";
import { goldenArray } from "./golden-weights.ts";
import { hashedArray } from "./hashed-weights.ts";
import * as caduceusGolden from "./language/caduceus-golden.ts";
import * as hyenaGolden from "./language/hyenadna-golden.ts";
import { mergeLora } from "./merge-lora.ts";

/** A family's tiny model with LoRA factors of rank 2 scaled by 2, and its classifier's logits. */
export interface AdaptedFamily {
  readonly title: string;
  readonly card: LanguageModelCard;
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly number[])[];
  /** Id of padding; no padding if absent. */
  readonly pad?: number;
  weight(tensor: DeclaredTensor): NdArray;
  factor(weight: string, shape: readonly number[], which: "A" | "B"): NdArray;
  readonly modules: number;
  readonly values: number;
  /** Logits, row after row. */
  readonly classes: readonly number[];
  /** float32 against float64 */
  readonly tolerance: number;
}

const BERT_ROWS = [
  [1, 5, 6, 7, 8, 9, 2],
  [1, 10, 11, 12, 2, 3, 3],
];
const hashed = {
  weight: ({ name, shape }: DeclaredTensor) =>
    name.endsWith("inv_freq")
      ? { dtype: "float32" as const, shape, data: rotaryFrequencies(2 * shape[0]) }
      : hashedArray(name, shape),
  factor: (weight: string, shape: readonly number[], which: "A" | "B") =>
    hashedArray(`${weight}:${which}`, shape),
  tolerance: 2e-6,
};
const encoder = {
  vocab_size: 24,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 16,
  layer_norm_eps: 1e-12,
};
const bert = { ...encoder, type_vocab_size: 2, hidden_act: "gelu" };
const mixtral = {
  model_type: "mixtral",
  vocab_size: 24,
  hidden_size: 32,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_local_experts: 4,
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
  sliding_window: null,
};
const seeded =
  (seedOf: (name: string) => number) => (weight: string, shape: readonly number[], which: "A" | "B") =>
    goldenArray(shape, (which === "A" ? 1000 : 1001) + 2 * seedOf(weight), 0.25);

export const ADAPTED_FAMILIES: readonly AdaptedFamily[] = [
  {
    title: "DNABERT-2",
    card: dnabert2,
    config: { ...bert, hidden_size: 48, num_attention_heads: 12, alibi_starting_size: 4 },
    rows: BERT_ROWS,
    pad: 3,
    ...hashed,
    modules: 10,
    values: 2548,
    classes: [-0.4229361, -0.2596787, 0.5212292, -0.33797864, 0.15875048, -0.12132102],
  },
  {
    title: "GENA-LM large",
    card: genaLm,
    config: { ...bert, pre_layer_norm: true, layer_norm_eps: 1e-5 },
    rows: BERT_ROWS,
    pad: 3,
    ...hashed,
    modules: 15,
    values: 2068,
    classes: [-0.42248194, -0.47412968, 0.07062551, -0.44794972, -0.42252185, -0.01236927],
  },
  {
    title: "GENA-LM base",
    card: genaLm,
    config: { ...bert, pre_layer_norm: true, last_layer_norm: false },
    rows: BERT_ROWS,
    pad: 3,
    ...hashed,
    modules: 15,
    values: 2068,
    classes: [-0.4450554, -0.39014596, -0.14387239, -0.52005432, -0.41805379, -0.33882441],
  },
  {
    title: "Nucleotide Transformer v2",
    card: nucleotideTransformer,
    config: {
      ...encoder,
      intermediate_size: 40,
      max_position_embeddings: 18,
      position_embedding_type: "rotary",
      add_bias_fnn: false,
      emb_layer_norm_before: false,
      tie_word_embeddings: false,
      token_dropout: false,
      pad_token_id: 1,
      mask_token_id: 2,
    },
    rows: [
      [3, 6, 7, 8, 9, 10, 11],
      [3, 12, 13, 14, 15, 1, 1],
    ],
    pad: 1,
    ...hashed,
    modules: 15,
    values: 1982,
    classes: [-0.04683952, -0.49564337, -0.14019916, -0.34796361, 0.61329759, -0.01715287],
  },
  ...([1, 2] as const).map((num_experts_per_tok) => ({
    title: `Mistral-DNA, experts per token: ${num_experts_per_tok}`,
    card: mistralDna,
    config: { ...mixtral, num_experts_per_tok },
    rows: BERT_ROWS,
    pad: 3,
    ...hashed,
    modules: 35,
    values: 3840,
    classes: {
      1: [0.36249124, -0.50076404, -1.47386819, 0.47399106, 0.24961179, -0.35632323],
      2: [0.54924215, -0.44032542, -0.87260899, 0.10582388, 0.10707994, -0.8269508],
    }[num_experts_per_tok],
  })),
  {
    title: "HyenaDNA",
    card: hyenadna,
    config: hyenaGolden.TINY,
    rows: [0, 1].map((row) => [
      ...hyenaGolden.ids.slice(row * hyenaGolden.LENGTH, (row + 1) * hyenaGolden.LENGTH),
    ]),
    weight: (tensor) =>
      tensor.name === "score.weight"
        ? goldenArray(tensor.shape, ...hyenaGolden.SCORE)
        : hyenaGolden.weight(tensor),
    factor: seeded(hyenaGolden.seedOf),
    modules: 19,
    values: 1312,
    classes: [-0.38362179, -0.16965158, -0.93126823, 0.0059928142],
    tolerance: 5e-6,
  },
  ...([true, false] as const).map((rcps) => ({
    title: rcps ? "Caduceus-PS" : "Caduceus-Ph",
    card: caduceus,
    config: caduceusGolden.tiny(rcps, 2),
    rows: caduceusGolden.idRows,
    weight: (tensor: DeclaredTensor) =>
      tensor.name === "score.weight"
        ? goldenArray(tensor.shape, ...caduceusGolden.SCORE)
        : caduceusGolden.weight(tensor),
    factor: seeded((name) => caduceusGolden.lawOf(name)[0]),
    modules: 21,
    values: 1968,
    classes: rcps
      ? [0.098832165, 0.14628389, 0.0042450278, -0.10841506]
      : [-0.016991811, -0.019239953, 0.10834567, -0.14574561],
    tolerance: 1e-5,
  })),
];

const array = (dtype: "int32" | "float32", shape: readonly number[], values: readonly number[]): NdArray => ({
  dtype,
  shape,
  data: dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values),
});

/** The family's classifier graph with LoRA, and values of all its inputs and parameters. */
export async function adaptedClasses(
  family: AdaptedFamily,
  { dropout = 0, training = false, tokens = family.rows[0].length } = {},
) {
  const { card, config, pad } = family;
  const rows = family.rows.map((row) => row.slice(0, tokens));
  const plain = card.architecture(config, "config.json");
  const factors = new LoraAdapters({ rank: 2, alpha: 4, dropout }, plain.adaptedModules, training);
  const model = plain.withLora(factors);
  const head = model.classifier(family.classes.length / rows.length);
  const length = model.fixedLength ? tokens : "t";
  const given = {
    ids: input("ids", "int32", ["b", length]),
    ...(model.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
  };
  const classes: Sym = head.logits(model.forward(given, length), given);
  const shape = [rows.length, tokens];
  const frozen = weightsOf(family, model);
  return {
    model,
    factors,
    head,
    given,
    classes,
    frozen: new Map([...frozen, ...((await model.derive?.(tokens, reader(frozen))) ?? [])]),
    trained: new Map([
      ...factors.weights.flatMap((weight) => factorArrays(family, weight)),
      ...head.tensors.map((tensor) => [tensor.name, family.weight(tensor)] as const),
    ]),
    feeds: {
      ids: array("int32", shape, rows.flat()),
      mask: array(
        "float32",
        shape,
        rows.flat().map((id) => Number(id !== pad)),
      ),
    },
  };
}

const factorArrays = ({ factor }: AdaptedFamily, { weight, a, b }: AdaptedWeight) =>
  [
    [a.name, factor(weight, a.shape, "A")],
    [b.name, factor(weight, b.shape, "B")],
  ] as const;

const weightsOf = ({ weight }: AdaptedFamily, { tensors }: Architecture) =>
  new Map(tensors.map((tensor) => [tensor.name, weight(tensor)]));

/** Weights with the factors merged into them, of a model in which no two layers share one. */
export async function mergedWeights(family: AdaptedFamily, adapted: readonly AdaptedWeight[]) {
  const plain = family.card.architecture(family.config, "config.json");
  const model = plain.untied?.() ?? plain;
  const weights = weightsOf(family, model);
  for (const each of adapted) {
    const [[, a], [, b]] = factorArrays(family, each);
    const merged = mergeLora(weights.get(each.weight)!, { a, b }, { scale: 2, layer: each.layer });
    weights.set(each.weight, merged);
  }
  const derived = (await model.derive?.(family.rows[0].length, reader(weights))) ?? [];
  return { model, weights: new Map([...weights, ...derived]) };
}

/** Reads rows of an array in memory, like a checkpoint. */
const reader = (weights: ReadonlyMap<string, NdArray>): ReadTensor => hyenaGolden.reader(weights);
