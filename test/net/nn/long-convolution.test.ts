import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import * as g from "../../../src/net/graph/build.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import { longConvolution } from "../../../src/net/nn/long-convolution.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const rng = new Pcg64(8);
const random = (...shape: number[]) => ({
  dtype: "float32" as const,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng)),
});

const [BATCH, CHANNELS] = [2, 3];

/** y[b, t, d] = Σ_{τ ≤ t} k[τ, d] · x[b, t − τ, d] by definition, in float64. */
function convolved(x: Float32Array, k: Float32Array, length: number): Float64Array {
  const y = new Float64Array(BATCH * length * CHANNELS);
  for (let b = 0; b < BATCH; b++) {
    for (let t = 0; t < length; t++) {
      for (let d = 0; d < CHANNELS; d++) {
        const at = (b * length + t) * CHANNELS + d;
        for (let tau = 0; tau <= t; tau++) y[at] += k[tau * CHANNELS + d] * x[at - tau * CHANNELS];
      }
    }
  }
  return y;
}

// one position, primes that must be padded, lengths that factor, and those of the benchmark's tasks
test.each([1, 2, 3, 7, 62, 64, 127, 351, 513, 1026, 2115])(
  "a convolution of length %i is the sum it is",
  async (length) => {
    const [x, k] = [random(BATCH, length, CHANNELS), random(length, CHANNELS)];
    const y = longConvolution(length).apply(
      g.input("x", "float32", ["b", length, CHANNELS]),
      g.input("k", "float32", [length, CHANNELS]),
    );
    expect(y.shape).toEqual(["b", length, CHANNELS]);
    const program = await openProgram({ y });
    const results = await program.run({ x, k });
    await program.close();
    const expected = convolved(x.data, k.data, length);
    const came = results.y.data as Float32Array;
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - came[i])), 0);
    // values grow with the square root of the length
    expect(worst / Math.sqrt(length)).toBeLessThan(2e-6);
  },
);

test("does not depend on later positions, apart from rounding", async () => {
  const length = 351;
  const [x, k] = [random(BATCH, length, CHANNELS), random(length, CHANNELS)];
  const y = longConvolution(length).apply(
    g.input("x", "float32", ["b", length, CHANNELS]),
    g.input("k", "float32", [length, CHANNELS]),
  );
  const program = await openProgram({ y });
  const cut = {
    ...x,
    data: x.data.map((value, i) => (i % (length * CHANNELS) < 200 * CHANNELS ? value : 0)),
  };
  const [whole, half] = [await program.run({ x, k }), await program.run({ x: cut, k })];
  await program.close();
  let compared = 0;
  for (let i = 0; i < x.data.length; i++) {
    if (i % (length * CHANNELS) >= 200 * CHANNELS) continue;
    expect(Math.abs(Number(whole.y.data[i]) - Number(half.y.data[i]))).toBeLessThan(5e-5);
    compared++;
  }
  expect(compared).toBe(BATCH * 200 * CHANNELS);
});

test("has the gradients of its definition for signal and kernel", async () => {
  const length = 13;
  const [x, k, w] = [
    random(BATCH, length, CHANNELS),
    random(length, CHANNELS),
    random(BATCH, length, CHANNELS),
  ];
  const signal = g.input("x", "float32", [BATCH, length, CHANNELS]);
  const kernel = g.input("k", "float32", [length, CHANNELS]);
  const weights = g.input("w", "float32", [BATCH, length, CHANNELS]);
  const loss = g.reduceSum(g.mul(longConvolution(length).apply(signal, kernel), weights), [0, 1, 2]);
  const [dx, dk] = gradientsOf(loss, [signal, kernel]);
  const program = await openProgram({ dx, dk });
  const results = await program.run({ x, k, w });
  await program.close();
  const [gx, gk] = [new Float64Array(x.data.length), new Float64Array(k.data.length)];
  for (let i = 0; i < w.data.length; i++) {
    const d = i % CHANNELS;
    const t = Math.floor(i / CHANNELS) % length;
    for (let tau = 0; tau <= t; tau++) {
      gx[i - tau * CHANNELS] += w.data[i] * k.data[tau * CHANNELS + d];
      gk[tau * CHANNELS + d] += w.data[i] * x.data[i - tau * CHANNELS];
    }
  }
  for (const [came, expected] of [
    [results.dx, gx],
    [results.dk, gk],
  ] as const) {
    expect(came.data.length).toBe(expected.length);
    expected.forEach((value, i) => {
      expect(Math.abs(Number(came.data[i]) - value)).toBeLessThan(2e-5);
    });
  }
});
