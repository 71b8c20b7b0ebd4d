import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonError, parseUniqueJson } from "../../src/base/json.ts";

test("any JSON with unique names is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2, "\t"), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(parseUniqueJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['{"a": 1, "a": 2}', 'gives the name "a" twice'],
  ['{"a": 1, "\\u0061" \n: 2}', 'gives the name "a" twice'],
  ['[{"b": {"c": 1, "d": [], "c": 1}}]', 'gives the name "c" twice'],
  ['{"a\\"": 1, "a\\"": 2}', 'gives the name "a\\"" twice'],
  ["[".repeat(9), "is nested more than 8 deep"],
  ['{"a": 1', "is not JSON"],
  ['"a', "is not JSON"],
  ["", "is not JSON"],
])("%s %s", (text, message) => {
  expect(() => parseUniqueJson(text)).toThrow(JsonError);
  expect(() => parseUniqueJson(text)).toThrow(message);
});

test("equal names in different objects, equal values and names inside texts are fine", () => {
  const text = '[{"a": "a"}, {"a": "{\\"a\\": 1, \\"a\\": 2}", "b": "a"}]';
  expect(parseUniqueJson(text)).toEqual(JSON.parse(text));
});
