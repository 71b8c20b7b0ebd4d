import { expect, test } from "vitest";
import { input, matMul, swapLast } from "../../../src/net/graph/build.ts";
import {
  alibi,
  alibiSlopes,
  applyRotary,
  rotaryAnglesAt,
  rotaryFrequencies,
} from "../../../src/net/nn/position-encoding.ts";
import { everyToken, oneToken } from "../../../src/net/nn/queries.ts";
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
  near.scores.data.forEach((value, i) => {
    expect(far.scores.data[i] as number).toBeCloseTo(value as number, 4);
  });
});

test("rotates a pair of columns from the two halves by position × frequency", async () => {
  const { query } = await scores(q, k, [0, 1, 2, 3]);
  const frequencies = [1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)];
  for (let place = 0; place < 4; place++) {
    frequencies.forEach((frequency, j) => {
      const [a, b] = [q[place * WIDTH + j], q[place * WIDTH + j + 3]];
      const angle = place * frequency;
      const values = query.data as Float32Array;
      expect(values[place * WIDTH + j]).toBeCloseTo(a * Math.cos(angle) - b * Math.sin(angle), 5);
      expect(values[place * WIDTH + j + 3]).toBeCloseTo(b * Math.cos(angle) + a * Math.sin(angle), 5);
    });
  }
});

test("slopes of a power of two are geometric; other numbers take every second slope of twice the power", () => {
  expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  expect(alibiSlopes(1)).toEqual([2 ** -8]);
  const twelve = alibiSlopes(12).map((slope) => Math.fround(slope));
  expect(twelve.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  [0.70710677, 0.35355338, 0.17677669, 0.088388346].forEach((slope, i) => {
    expect(twelve[8 + i]).toBeCloseTo(slope, 8);
  });
});

test("the bias of one token is its row of the full bias", async () => {
  const ids = input("ids", "float32", ["b", "t"]);
  const positions = input("positions", "int32", ["b"]);
  const program = await openProgram({
    // the input that binds the sizes must be part of the program
    all: alibi(3, everyToken("t").positions, "t"),
    one: alibi(3, oneToken(positions).positions, "t"),
    sizes: ids,
  });
  const { all, one } = await program.run({
    ids: { dtype: "float32", shape: [2, 4], data: new Float32Array(8) },
    positions: { dtype: "int32", shape: [2], data: Int32Array.of(3, 1) },
  });
  await program.close();
  expect(all.shape).toEqual([1, 3, 4, 4]);
  expect(one.shape).toEqual([2, 3, 1, 4]);
  const [slope] = alibiSlopes(3);
  expect([...(all.data as Float32Array).subarray(0, 4)]).toEqual([-0, -slope, -2 * slope, -3 * slope]);
  const whole = all.data as Float32Array;
  [3, 1].forEach((place, b) => {
    for (let h = 0; h < 3; h++) {
      const row = whole.subarray((h * 4 + place) * 4, (h * 4 + place + 1) * 4);
      const start = (b * 3 + h) * 4;
      expect((one.data as Float32Array).subarray(start, start + 4)).toEqual(row);
    }
  });
});
