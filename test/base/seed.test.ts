import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { seedOf } from "../../src/base/random.ts";

const hex = (words: Uint32Array) =>
  [...words]
    .reverse()
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("");

// Right-hand sides: hashlib.sha256(repr(tuple).encode()).hexdigest()[32:], CPython 3.11.
test.each([
  [[0, "chr1", 181251, 181601], "3619bcfc2a4c8b871fb36eb73eb4ab72"],
  [[7], "48f6d1a5bd903c1be2c04491e4cc224c"],
  [[0, "it's"], "641833b9dc1c7a56a7610535f0f87423"],
  [["a\"b'c\\d", -5], "6ea170cd12ccfb54fb541655d4a4781e"],
  [["\\"], "315c28f6919e089c6263644a3d612ca7"],
  [[], "26ac6aa403ae6a8acb6cf58239fbaf5d"],
])("the seed of %j is the digest of Python's tuple", (parts, expected) => {
  expect(hex(seedOf(parts))).toBe(expected);
});

test("a generator takes it as it is", () => {
  expect(new Pcg64(seedOf([0, "chr1", 181251, 181601])).nextUint64()).toBe(0x2e540dcc08e4a8adn);
});

test("minus zero is zero", () => {
  expect(seedOf([-0])).toEqual(seedOf([0]));
});

test("what Python would write differently is refused", () => {
  expect(() => seedOf([0.5])).toThrow(InputError);
  expect(() => seedOf([2 ** 53])).toThrow(InputError);
  expect(() => seedOf(["chrÄ"])).toThrow("is not printable ASCII");
  expect(() => seedOf(["a\nb"])).toThrow(InputError);
});
