import fc from "fast-check";
import { expect, test } from "vitest";
import { InternalError } from "../../src/base/errors.ts";
import { stableStringify } from "../../src/base/json.ts";

test("keys are in order at every depth, arrays keep theirs", () => {
  expect(stableStringify({ b: [3, { d: null, c: true }], a: "é\n" })).toBe(
    '{"a":"é\\n","b":[3,{"c":true,"d":null}]}',
  );
});

test("the text means the same value, whatever the order of the keys", () => {
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

test("undefined properties are left out", () => {
  expect(stableStringify({ a: undefined, b: 1 })).toBe('{"b":1}');
});

test.each([
  [{ a: [1, Number.NaN] }, "internal: $.a[1] is NaN, which JSON cannot represent"],
  [{ a: -Infinity }, "$.a is -Infinity"],
  [[undefined], "$[0] is a undefined"],
  [{ a: 1n }, "$.a is a bigint"],
  [{ a: new Float32Array(2) }, "$.a is a Float32Array, not a plain object"],
  [new Map(), "$ is a Map, not a plain object"],
])("what JSON would change is refused: %o", (value, message) => {
  expect(() => stableStringify(value)).toThrow(InternalError);
  expect(() => stableStringify(value)).toThrow(message);
});
