import { expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { tableDigest } from "../../../src/evaluation/tasks/table-rows.ts";

const valuesOf = (n: number) => [n, n % 2 === 0, "chr1"];
const textOf = (n: number) => valuesOf(n).join("\t");

test("a table's digest is the digest of its blocks' digests", () => {
  const few = [3, 1, 2];
  expect(tableDigest(few, valuesOf)).toBe(sha256Hex(sha256Hex(few.map(textOf).join("\n"))));
  const many = Array.from({ length: 65_537 }, (_, i) => i);
  const runs = [many.slice(0, 65_536), many.slice(65_536)].map((run) =>
    sha256Hex(run.map(textOf).join("\n")),
  );
  expect(tableDigest(many, valuesOf)).toBe(sha256Hex(runs.join("\n")));
});

test("order, values and heading change it", () => {
  const digest = tableDigest([1, 2], valuesOf);
  expect(tableDigest([2, 1], valuesOf)).not.toBe(digest);
  expect(tableDigest([1, 4], valuesOf)).not.toBe(digest);
  expect(tableDigest([1, 2], valuesOf, ["dsQTL"])).not.toBe(digest);
});
