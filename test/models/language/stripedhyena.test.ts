import { describe, expect, test } from "vitest";
import { stripedhyena } from "../../../src/models/language/stripedhyena.ts";
import { stripedhyena2 } from "../../../src/models/language/stripedhyena2.ts";
import { causalLogLikelihoods } from "../../../src/models/queries/causal-likelihood.ts";
import { hashedWeights } from "../hashed-weights.ts";
import { tinyQuery } from "../tiny-query.ts";

const toy = stripedhyena.toys.toy;
const build = (changes: Readonly<Record<string, unknown>>) =>
  stripedhyena.architecture({ ...toy, ...changes }, "config.json");

test("filters of poles on the unit circle are sums of cosines at 16,384 positions", async () => {
  const model = build({ hidden_size: 4, num_attention_heads: 2, state_size: 2 });
  const modes = Array.from({ length: 8 }, (_, i) => ({ angle: 0.3 + 0.35 * i, size: 1 / (i + 1) }));
  const poles = Float32Array.from(modes.flatMap(({ angle }) => [Math.cos(angle), Math.sin(angle)]));
  const residues = Float32Array.from(modes.flatMap(({ size }) => [size, -size]));
  const length = 16_384;
  const derived = await model.derive!(length, async (name) => ({
    dtype: "float32",
    shape: [4, 2, 1, 2],
    data: name.endsWith("poles") ? poles : residues,
  }));
  expect([...derived.keys()]).toEqual([0, 2].map((i) => `backbone.blocks.${i}.filter.kernel`));
  const { shape, data } = derived.get("backbone.blocks.2.filter.kernel")!;
  expect(shape).toEqual([length, 4]);
  // Re((1 − i)·exp(iφ)) = cos φ + sin φ, with the angle and length of each rounded pole
  let furthest = 0;
  for (let at = 0; at < data.length; at++) {
    const [position, channel] = [Math.floor(at / 4), at % 4];
    const expected = [2 * channel, 2 * channel + 1].reduce((sum, mode) => {
      const [re, im] = [poles[2 * mode], poles[2 * mode + 1]];
      const phase = position * Math.atan2(im, re);
      return sum + residues[2 * mode] * Math.hypot(re, im) ** position * (Math.cos(phase) + Math.sin(phase));
    }, 0);
    furthest = Math.max(furthest, Math.abs((data[at] as number) - expected));
  }
  expect(furthest).toBeLessThan(2e-7);
});

describe("StripedHyena 2", () => {
  const second = (changes: Readonly<Record<string, unknown>>) =>
    stripedhyena2.architecture({ ...stripedhyena2.toys.toy, ...changes }, "config.json");

  test("filters are real exponentials, or taps that groups of channels share", async () => {
    const sizes = { hidden_size: 8, num_attention_heads: 2, hcm_filter_groups: 2, hcs_filter_groups: 2 };
    const model = second({ ...sizes, state_size: 1 });
    const h = Float32Array.from({ length: 256 }, (_, i) => i);
    const stored: Readonly<Record<string, Float32Array>> = {
      "blocks.1.filter.h": h,
      "blocks.2.filter.log_poles": Float32Array.from({ length: 8 }, (_, d) => -d / 8),
      "blocks.2.filter.residues": new Float32Array(8).fill(2),
    };
    const derived = await model.derive!(130, async (name) => {
      const data = stored[name];
      return { dtype: "float32", shape: [data.length], data };
    });
    expect([...derived.keys()]).toEqual([1, 2].map((i) => `blocks.${i}.filter.kernel`));
    const [taps, modes] = [...derived.values()].map(({ data }) => data as Float32Array);
    // 128 taps of 2 groups of 4 channels, then zeros
    expect([...taps.subarray(8 * 127)]).toEqual([
      ...[127, 127, 127, 127, 255, 255, 255, 255],
      ...new Array<number>(16).fill(0),
    ]);
    expect(modes[8 * 129 + 3]).toBe(Math.fround(2 * Math.exp(-129 * 0.375)));
  });

  test("the empty sequence is refused, and other lengths run after it", async () => {
    const model = second({});
    const query = tinyQuery(
      model,
      hashedWeights(model.tensors),
      { special: {}, before: [], after: [] },
      "causal",
    );
    const rows = (...ids: number[]) => [
      { ids: Int32Array.from(ids), starts: new Int32Array(ids.length), ends: new Int32Array(ids.length) },
    ];
    await expect(causalLogLikelihoods(query, rows(), {})).rejects.toThrow(
      /no tokens, and this model has no start/,
    );
    expect([...(await causalLogLikelihoods(query, rows(65), {}))]).toEqual([0]);
    await query.close();
  });

  test.each([
    ["FP8", { use_fp8_input_projections: true }, /"use_fp8_input_projections" is true: expected false/],
    ["a layer of no kind", { hcs_layer_idxs: [] }, /expected every layer once/],
    ["groups of unequal sizes", { hcm_filter_groups: 7 }, /a divisor of hidden_size/],
    ["an exchange of the gates", { hyena_flip_x1x2: true }, /"hyena_flip_x1x2" is true/],
  ])("refuses %s", (_, changes, message) => {
    expect(() => second(changes)).toThrow(message);
  });

  test("a configuration with a model_type is of another port", () => {
    expect(stripedhyena2.recognises({ ...stripedhyena2.toys.toy, model_type: "evo2" })).toBe(false);
    expect(stripedhyena2.recognises(stripedhyena2.toys.toy)).toBe(true);
  });
});

describe("refuses", () => {
  test.each([
    ["another vocabulary than bytes", { vocab_size: 32_000 }, /"vocab_size" is 32000: expected 512/],
    ["grouped queries", { proj_groups: 4 }, /"proj_groups" is 4/],
    ["filters shared by channels", { hyena_filter_groups: 8 }, /"hyena_filter_groups" is 8/],
    ["a layer without a kind", { hyena_layer_idxs: [0] }, /expected every layer once/],
    ["a layer of two kinds", { hyena_layer_idxs: [0, 1, 2] }, /expected every layer once/],
    ["heads of odd width", { hidden_size: 12 }, /heads of even width/],
  ])("%s", (_, changes, message) => {
    expect(() => build(changes)).toThrow(message);
  });
});
