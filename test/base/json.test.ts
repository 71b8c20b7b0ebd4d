import fc from "fast-check";
import { expect, test } from "vitest";
import { InternalError } from "../../src/base/errors.ts";
import { JsonError, parseUniqueJson, stableStringify } from "../../src/base/json.ts";

test("sorts keys at every depth and keeps the order of arrays", () => {
  expect(stableStringify({ b: [3, { d: null, c: true }], a: "é\n" })).toBe(
    '{"a":"é\\n","b":[3,{"c":true,"d":null}]}',
  );
});

test("parses back to the same value for any order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = stableStringify(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(stableStringify(reversed(value))).toBe(text);
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

test("omits undefined properties", () => {
  expect(stableStringify({ a: undefined, b: 1 })).toBe('{"b":1}');
});

test.each([
  [{ a: [1, Number.NaN] }, "internal: $.a[1] is NaN, which JSON cannot represent"],
  [{ a: -Infinity }, "$.a is -Infinity"],
  [[undefined], "$[0] is a undefined"],
  [{ a: 1n }, "$.a is a bigint"],
  [{ a: new Float32Array(2) }, "$.a is a Float32Array, not a plain object"],
  [new Map(), "$ is a Map, not a plain object"],
])("refuses %o, which JSON would change", (value, message) => {
  expect(() => stableStringify(value)).toThrow(InternalError);
  expect(() => stableStringify(value)).toThrow(message);
});

test("parses JSON with unique names like JSON.parse", () => {
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

test("accepts equal names in different objects and inside strings", () => {
  const text = '[{"a": "a"}, {"a": "{\\"a\\": 1, \\"a\\": 2}", "b": "a"}]';
  expect(parseUniqueJson(text)).toEqual(JSON.parse(text));
});
