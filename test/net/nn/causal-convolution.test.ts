import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import * as g from "../../../src/net/graph/build.ts";
import { shortCausalConvolution } from "../../../src/net/nn/causal-convolution.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const rng = new Pcg64(8);
const random = (...shape: number[]) => ({
  dtype: "float32" as const,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng)),
});

test("depends on the previous positions, not on later ones", async () => {
  const x = random(1, 2, 5);
  const weight = random(2, 1, 3);
  const y = shortCausalConvolution(
    { weight: g.parameter("w", [2, 1, 3]) },
    g.input("x", "float32", ["b", 2, 5]),
  );
  const program = await openProgram({ y }, new Map([["w", weight]]));
  const { y: result } = await program.run({ x });
  await program.close();
  const at = (t: number) => (t < 0 ? 0 : x.data[5 + t]);
  for (let t = 0; t < 5; t++) {
    const expected = [0, 1, 2].reduce((sum, j) => sum + weight.data[3 + j] * at(t - 2 + j), 0);
    expect(Number(result!.data[5 + t])).toBeCloseTo(expected, 5);
  }
});
