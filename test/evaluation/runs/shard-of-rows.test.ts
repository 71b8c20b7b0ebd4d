import { describe, expect, test } from "vitest";
import { parseShard, shardName, shardOfRow } from "../../../src/evaluation/runs/shard.ts";

describe("a shard", () => {
  test("is i/n, 1-based", () => {
    expect(parseShard("3/16")).toEqual({ index: 3, count: 16 });
    expect(parseShard(" 1/1 ")).toEqual({ index: 1, count: 1 });
    expect(shardName({ index: 3, count: 16 })).toBe("003-of-016");
    expect(shardName({ index: 12, count: 4000 })).toBe("012-of-4000");
  });

  test.each(["0/4", "5/4", "3", "3/", "a/b", "1.5/2", "-1/2", "3/0", "1/1000000"])(
    "%s is refused",
    (text) => {
      expect(() => parseShard(text)).toThrow(/is not a shard|there is no shard/);
    },
  );

  test("has an equal share of the rows, from all parts of the table", () => {
    for (const [start, count] of [
      [0, 7],
      [1_000_000, 16],
    ] as const) {
      const sizes = new Array(count).fill(0);
      for (let row = start; row < start + 7000; row++) sizes[shardOfRow(row, count) - 1]++;
      const even = 7000 / count;
      for (const size of sizes) expect(Math.abs(size - even)).toBeLessThan(5 * Math.sqrt(even));
    }
  });
});
