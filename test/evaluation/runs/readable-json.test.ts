import { expect, test } from "vitest";
import { readableJson } from "../../../src/evaluation/runs/run-folder.ts";

test("ends with a newline", () => {
  expect(readableJson({ a: [1, null] })).toBe('{\n  "a": [\n    1,\n    null\n  ]\n}\n');
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  "%s is an internal error and never becomes null",
  (value) => {
    expect(() => readableJson({ deep: { score: value } })).toThrow(/internal: "score" is (NaN|Infinity)/);
  },
);
