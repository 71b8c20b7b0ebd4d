import { describe, expect, test } from "vitest";
import { stripedhyena } from "../../../src/models/language/stripedhyena.ts";

const toy = stripedhyena.toys.toy!;
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
