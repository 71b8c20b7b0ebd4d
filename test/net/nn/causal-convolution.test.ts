import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/sample.ts";
import * as g from "../../../src/net/graph/build.ts";
import { longCausalConvolution, shortCausalConvolution } from "../../../src/net/nn/causal-convolution.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const rng = new Pcg64(8);
const random = (...shape: number[]) => ({
  dtype: "float32" as const,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng)),
});

// one block, one block short of two, whole blocks, a cut block, and both sides of the change of method
test.each([1, 2, 63, 64, 65, 128, 351, 512, 513, 700])(
  "a convolution of length %i is the sum it is",
  async (length) => {
    const [batch, channels] = [2, 3];
    const x = random(batch, channels, length);
    const kernel = random(length, channels);
    const y = longCausalConvolution(
      g.input("x", "float32", ["b", channels, length]),
      g.parameter("k", [length, channels]),
    );
    const program = await openProgram({ y }, new Map([["k", "fed" as const]]));
    const { y: result } = await program.run({ x, k: kernel });
    await program.close();
    let worst = 0;
    for (let b = 0; b < batch; b++) {
      for (let d = 0; d < channels; d++) {
        for (let t = 0; t < length; t++) {
          let sum = 0;
          for (let tau = 0; tau <= t; tau++) {
            sum += kernel.data[tau * channels + d]! * x.data[(b * channels + d) * length + t - tau]!;
          }
          worst = Math.max(worst, Math.abs(sum - Number(result!.data[(b * channels + d) * length + t])));
        }
      }
    }
    expect(worst).toBeLessThan(2e-6 * Math.max(8, length));
  },
);

test("a short convolution sees the letters before it and nothing after", async () => {
  const x = random(1, 2, 5);
  const weight = random(2, 1, 3);
  const y = shortCausalConvolution(
    { weight: g.parameter("w", [2, 1, 3]) },
    g.input("x", "float32", ["b", 2, 5]),
  );
  const program = await openProgram({ y }, new Map([["w", weight]]));
  const { y: result } = await program.run({ x });
  await program.close();
  const at = (t: number) => (t < 0 ? 0 : x.data[5 + t]!);
  for (let t = 0; t < 5; t++) {
    const expected = [0, 1, 2].reduce((sum, j) => sum + weight.data[3 + j]! * at(t - 2 + j), 0);
    expect(Number(result!.data[5 + t])).toBeCloseTo(expected, 5);
  }
});
