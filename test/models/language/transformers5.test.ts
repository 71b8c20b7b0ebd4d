import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { bindParameters } from "../../../src/models/language/parameters.ts";
import type { Checkpoint } from "../../../src/net/arrays/checkpoint.ts";
import { input } from "../../../src/net/graph/build.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { hashedWeights } from "../hashed-weights.ts";

type Config = Readonly<Record<string, unknown>>;

const configOf = (name: string): Config =>
  JSON.parse(readFileSync(new URL(`../../golden/architectures/${name}.json`, import.meta.url), "utf8"))
    .config;

const architectureOf = (config: Config) =>
  LANGUAGE_MODELS.find((card) => card.recognises(config))!.architecture(config, "config.json");

/** Logits of one row of nine tokens. */
async function logitsOf(config: Config): Promise<readonly number[]> {
  const model = architectureOf(config);
  const given = { ids: input("ids", "int32", ["b", "t"]), mask: input("mask", "float32", ["b", "t"]) };
  const { logits } = model.forward(given, "t");
  const program = await openProgram({ logits }, hashedWeights(model.tensors));
  const found = await program.run({
    ids: { dtype: "int32", shape: [1, 9], data: Int32Array.of(1, 5, 6, 7, 8, 9, 10, 11, 2) },
    mask: { dtype: "float32", shape: [1, 9], data: new Float32Array(9).fill(1) },
  });
  await program.close();
  return Array.from(found.logits.data as Float32Array);
}

/** Keys before version 5, and the same choices as version 5 writes them. */
const SPELLINGS: readonly [string, string, Config, Config][] = [
  [
    "the share of rotated columns and the base of a GPT-NeoX",
    "gpt-neox",
    { rotary_pct: 0.5, rotary_emb_base: 100 },
    {
      rotary_pct: undefined,
      rope_parameters: { rope_type: "default", rope_theta: 100, partial_rotary_factor: 0.5 },
    },
  ],
  [
    "the base and the scaling of a Llama",
    "llama",
    { rope_theta: 50, rope_scaling: { type: "linear", factor: 4 } },
    {
      rope_theta: undefined,
      rope_scaling: undefined,
      rope_parameters: { rope_type: "linear", rope_theta: 50, factor: 4 },
    },
  ],
  [
    "the bases of a ModernBERT's layers",
    "modernbert",
    { global_rope_theta: 70, local_rope_theta: 30 },
    {
      global_rope_theta: undefined,
      local_rope_theta: undefined,
      rope_parameters: { full_attention: { rope_theta: 70 }, sliding_attention: { rope_theta: 30 } },
    },
  ],
  [
    "the attention of a ModernBERT's layers",
    "modernbert",
    { global_attn_every_n_layers: 3 },
    { layer_types: ["full_attention", "sliding_attention"] },
  ],
  [
    "the windows of a Qwen2",
    "qwen2",
    { sliding_window: 2, max_window_layers: 0 },
    {
      sliding_window: 2,
      max_window_layers: 0,
      layer_types: ["sliding_attention", "sliding_attention"],
    },
  ],
];

describe("keys of config.json", () => {
  test.each(SPELLINGS)("%s", async (_, name, before, since) => {
    const config = configOf(name);
    const [plain, former, latter] = await Promise.all(
      [config, { ...config, ...before }, { ...config, ...since }].map(logitsOf),
    );
    expect(latter).toEqual(former);
    if (!("global_attn_every_n_layers" in before)) expect(latter).not.toEqual(plain);
  });

  test("layers' types change a ModernBERT", async () => {
    const config = configOf("modernbert");
    const types = (type: string) => ({ ...config, layer_types: [type, type] });
    expect(await logitsOf(types("full_attention"))).not.toEqual(await logitsOf(types("sliding_attention")));
  });

  test("positions that an architecture has no choice of are refused", () => {
    const config = { ...configOf("bert"), rope_parameters: { rope_type: "default", rope_theta: 10_000 } };
    expect(() => architectureOf(config)).toThrow('"rope_parameters" is {"rope_type":"default"');
  });

  test("a decoder and quantised weights are refused", () => {
    for (const name of ["bert", "esm"]) {
      expect(() => architectureOf({ ...configOf(name), is_decoder: true })).toThrow('"is_decoder" is true');
    }
    const quantised = { ...configOf("llama"), quantization_config: { quant_method: "fp8" } };
    expect(() => architectureOf(quantised)).toThrow('"quantization_config" is {"quant_method":"fp8"}');
  });

  test("the layers of PlantCAD2 are refused", () => {
    const config = { model_type: "caduceus", layer_cfg: { mode: "mamba-only" } };
    expect(() => architectureOf(config)).toThrow('"layer_cfg" is {"mode":"mamba-only"}');
  });

  test("too few types of layers, and unknown kinds of scaling, are refused", () => {
    const llama = configOf("llama");
    expect(() => architectureOf({ ...llama, layer_types: ["full_attention"] })).toThrow("one type per layer");
    const longrope = { rope_type: "longrope", factor: 4 };
    expect(() => architectureOf({ ...llama, rope_scaling: longrope })).toThrow('"longrope"');
    expect(() => architectureOf({ ...llama, rope_scaling: { rope_type: "linear" } })).toThrow(
      '"rope_scaling.factor" is absent',
    );
  });
});

/** Tensors of an architecture, found in a checkpoint that stores them under other names. */
const binderOf = (name: string) => {
  const { tensors, ignored } = architectureOf(configOf(name));
  return (rename: (name: string) => string) => {
    const arrays = tensors.map(({ name, shape }) => {
      const stored = rename(name);
      return [stored, { name: stored, shape, dtype: "float32", file: "model.safetensors" }];
    });
    const checkpoint = { files: ["model.safetensors"], arrays: new Map(arrays as never) };
    return bindParameters(tensors, checkpoint as unknown as Checkpoint, ignored);
  };
};

test("names in a state dict of Transformers 5", () => {
  const head = binderOf("gpt-neox")((name) => (name === "embed_out.weight" ? "lm_head.weight" : name));
  expect(head.get("embed_out.weight")?.name).toBe("lm_head.weight");
  const esm = binderOf("esm")((name) =>
    name.endsWith("inv_freq") ? "esm.rotary_embeddings.inv_freq" : name,
  );
  expect(esm.get("esm.encoder.layer.1.attention.self.rotary_embeddings.inv_freq")?.name).toBe(
    "esm.rotary_embeddings.inv_freq",
  );
});

describe("tensors of an ESM", () => {
  const bound = binderOf("esm");

  test("norms named as in TensorFlow, and one table of rotary frequencies for all layers", () => {
    const renamed = bound((name) =>
      name
        .replace(/(LayerNorm)\.weight$/, "$1.gamma")
        .replace(/(LayerNorm)\.bias$/, "$1.beta")
        .replace(/layer\.\d+(.*inv_freq)$/, "layer.*$1"),
    );
    const stored = (name: string) => renamed.get(`esm.encoder.layer.1.attention.${name}`)?.name;
    expect(stored("LayerNorm.weight")).toBe("esm.encoder.layer.1.attention.LayerNorm.gamma");
    expect(stored("self.rotary_embeddings.inv_freq")).toBe(
      "esm.encoder.layer.*.attention.self.rotary_embeddings.inv_freq",
    );
    expect([...renamed.keys()]).toEqual([...bound((name) => name).keys()]);
  });
});
