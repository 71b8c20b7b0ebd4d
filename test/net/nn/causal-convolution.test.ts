import fc from "fast-check";
import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { input, parameter, scan, transpose } from "../../../src/net/graph/build.ts";
import { convolutionSteps, shortCausalConvolution } from "../../../src/net/nn/convolution.ts";
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
    expect(Number(result.data[5 + t])).toBeCloseTo(expected, 5);
  }
});

test("token by token equals the convolution over all tokens, in either direction", async () => {
  const size = (max: number) => fc.integer({ min: 1, max });
  await fc.assert(
    fc.asyncProperty(size(9), size(3), size(4), size(5), fc.boolean(), async (t, b, d, kernel, biased) => {
      const convolution = {
        weight: parameter("weight", [d, 1, kernel]),
        bias: biased ? parameter("bias", [d]) : undefined,
      };
      const x = input("x", "float32", ["t", "b", d]);
      const steps = convolutionSteps(convolution, "b");
      const along = (reverse: boolean) =>
        scan(
          steps.start,
          [x],
          (carried, [token]) => {
            const { output, carried: next } = steps.step(token, carried);
            return { states: next, emit: [output] };
          },
          { reverse },
        ).emitted[0];
      const whole = transpose(shortCausalConvolution(convolution, transpose(x, [1, 2, 0])), [2, 0, 1]);
      const rng = new Pcg64(t + 10 * b + 100 * d);
      const random = (...shape: number[]): NdArray => {
        const data = Float32Array.from({ length: shape.reduce((p, s) => p * s, 1) }, () => normal(rng));
        return { dtype: "float32", shape, data };
      };
      const weights = new Map([
        ["weight", random(d, 1, kernel)],
        ["bias", random(d)],
      ]);
      const program = await openProgram({ whole, along: along(false), against: along(true) }, weights);
      const given = random(t, b, d);
      const turned = { ...given, data: tokensReversed(given.data as Float32Array, b * d) };
      const results = await program.run({ x: given });
      const ofTurned = await program.run({ x: turned });
      await program.close();
      const values = (name: keyof typeof results, of = results) => of[name].data as Float32Array;
      const against = tokensReversed(values("against", ofTurned), b * d);
      values("whole").forEach((value, i) => {
        expect(Math.abs(value - values("along")[i])).toBeLessThan(1e-5);
        expect(Math.abs(value - against[i])).toBeLessThan(1e-5);
      });
    }),
    { numRuns: 25, seed: 2 },
  );
});

/** Rows of `width` values in reverse order. */
function tokensReversed(values: Float32Array, width: number): Float32Array {
  const last = values.length / width - 1;
  return values.map((_, i) => values[(last - Math.floor(i / width)) * width + (i % width)]);
}
