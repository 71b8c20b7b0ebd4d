import { expect, test } from "vitest";
import { input } from "../../../src/net/graph/build.ts";
import { alibi, alibiSlopes } from "../../../src/net/nn/position-encoding.ts";
import { everyToken, oneToken } from "../../../src/net/nn/queries.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

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
  expect(all!.shape).toEqual([1, 3, 4, 4]);
  expect(one!.shape).toEqual([2, 3, 1, 4]);
  const [slope] = alibiSlopes(3);
  expect([...(all!.data as Float32Array).subarray(0, 4)]).toEqual([-0, -slope!, -2 * slope!, -3 * slope!]);
  const whole = all!.data as Float32Array;
  [3, 1].forEach((place, b) => {
    for (let h = 0; h < 3; h++) {
      const row = whole.subarray((h * 4 + place) * 4, (h * 4 + place + 1) * 4);
      const start = (b * 3 + h) * 4;
      expect((one!.data as Float32Array).subarray(start, start + 4)).toEqual(row);
    }
  });
});
