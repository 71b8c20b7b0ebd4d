import { expect, test } from "vitest";
import { input, matMul, swapLast } from "../../../src/net/graph/build.ts";
import { applyRotary, rotaryAnglesAt, rotaryFrequencies } from "../../../src/net/nn/position-encoding.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const WIDTH = 6;

async function scores(q: Float32Array, k: Float32Array, places: readonly number[]) {
  const shape = [1, 1, places.length, WIDTH];
  const turn = rotaryAnglesAt(
    input("places", "float32", [1, places.length]),
    input("frequencies", "float32", [3]),
  );
  const query = applyRotary(input("q", "float32", shape), turn);
  const key = applyRotary(input("k", "float32", shape), turn);
  const program = await openProgram({ scores: matMul(query, swapLast(key)), query });
  const results = await program.run({
    places: { dtype: "float32", shape: [1, places.length], data: Float32Array.from(places) },
    frequencies: { dtype: "float32", shape: [3], data: rotaryFrequencies(WIDTH) },
    q: { dtype: "float32", shape, data: q },
    k: { dtype: "float32", shape, data: k },
  });
  await program.close();
  return results;
}

const q = Float32Array.from({ length: 4 * WIDTH }, (_, i) => Math.sin(i));
const k = Float32Array.from({ length: 4 * WIDTH }, (_, i) => Math.cos(2 * i));

test("scores depend only on the distance of two positions", async () => {
  const near = await scores(q, k, [0, 1, 2, 3]);
  const far = await scores(q, k, [100, 101, 102, 103]);
  near.scores!.data.forEach((value, i) => {
    expect(far.scores!.data[i] as number).toBeCloseTo(value as number, 4);
  });
});

test("rotates a pair of columns from the two halves by position × frequency", async () => {
  const { query } = await scores(q, k, [0, 1, 2, 3]);
  const frequencies = [1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)];
  for (let place = 0; place < 4; place++) {
    frequencies.forEach((frequency, j) => {
      const [a, b] = [q[place * WIDTH + j], q[place * WIDTH + j + 3]];
      const angle = place * frequency;
      const values = query!.data as Float32Array;
      expect(values[place * WIDTH + j]).toBeCloseTo(a * Math.cos(angle) - b * Math.sin(angle), 5);
      expect(values[place * WIDTH + j + 3]).toBeCloseTo(b * Math.cos(angle) + a * Math.sin(angle), 5);
    });
  }
});
