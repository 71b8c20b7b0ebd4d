import { expect, test } from "vitest";
import { distinct } from "../../../src/evaluation/settings/distinct.ts";

test("lists equal sequences once, in order of appearance", () => {
  expect(distinct({ name: "m" }, ["C", "A", "C", "C", "A", "T"])).toEqual({
    first: [0, 1, 5],
    of: [0, 1, 0, 0, 1, 2],
  });
});

test("a model that looks up scores gets every sequence", () => {
  const table = { name: "scores.tsv", expectRows: () => {} };
  expect(distinct(table, ["C", "C"])).toEqual({ first: [0, 1], of: [0, 1] });
});
