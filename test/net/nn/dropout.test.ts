import { expect, test } from "vitest";
import * as g from "../../../src/net/graph/build.ts";
import { DropoutSites } from "../../../src/net/nn/dropout.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const state = g.input("state", "float32", ["b", "t", 64]);
const weights = g.input("weights", "float32", ["b", 2, "t", "t"]);
const sites = new DropoutSites();
const outputs = { x: sites.apply(state, 0.1), w: sites.apply(weights, 0.5) };
const rows = [5, 9, 7].map((tokens, i) => ({ seed: [3, "dropout", i], tokens }));

test("each element is dropped with its site's probability, and what is kept is scaled up", async () => {
  const many = Array.from({ length: 40 }, (_, i) => ({ seed: [1, i], tokens: 30 }));
  const masks = sites.draw(many, 30);
  expect(Object.keys(masks)).toEqual(["dropout 0", "dropout 1"]);
  for (const [name, probability, elements] of [
    ["dropout 0", 0.1, 40 * 30 * 64],
    ["dropout 1", 0.5, 40 * 2 * 30 * 30],
  ] as const) {
    const data = masks[name].data as Float32Array;
    expect(data.length).toBe(elements);
    const dropped = data.reduce((sum, value) => sum + Number(value === 0), 0);
    // five standard deviations
    expect(Math.abs(dropped / elements - probability)).toBeLessThan(
      5 * Math.sqrt((probability * (1 - probability)) / elements),
    );
    expect(new Set(data)).toEqual(new Set([0, Math.fround(1 / (1 - probability))]));
  }

  const program = await openProgram(outputs);
  const ones = (shape: number[]) => ({
    dtype: "float32" as const,
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(2),
  });
  const results = await program.run({
    state: ones([40, 30, 64]),
    weights: ones([40, 2, 30, 30]),
    ...masks,
  });
  await program.close();
  const dropped = masks["dropout 0"].data as Float32Array;
  dropped.forEach((kept, i) => {
    if (results.x.data[i] !== Math.fround(2 * kept)) expect(results.x.data[i]).toBe(2 * kept);
  });
});

test("a sequence's masks are its own: neither its neighbours nor its padding change them", () => {
  const together = sites.draw(rows, 12);
  rows.forEach((row, i) => {
    const alone = sites.draw([row], row.tokens);
    const of = (masks: typeof alone, name: string, padded: number, at: number) => {
      const data = masks[name].data as Float32Array;
      const values: number[] = [];
      for (let query = 0; query < row.tokens; query++) {
        if (name === "dropout 0") {
          const start = (at * padded + query) * 64;
          values.push(...data.subarray(start, start + 64));
        } else {
          for (let head = 0; head < 2; head++) {
            const start = ((at * 2 + head) * padded + query) * padded;
            values.push(...data.subarray(start, start + row.tokens));
          }
        }
      }
      return values;
    };
    for (const name of Object.keys(alone)) {
      expect(of(together, name, 12, i)).toEqual(of(alone, name, row.tokens, 0));
    }
  });
  expect(sites.draw([rows[0]], 5)).not.toEqual(sites.draw([{ ...rows[0], seed: [3, "dropout", 9] }], 5));
});

test("draws no masks without dropout", () => {
  const none = new DropoutSites();
  expect(none.apply(state, 0)).toBe(state);
  expect(none.draw(rows, 12)).toEqual({});
});
