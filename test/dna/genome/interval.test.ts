import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { centredWindow, checkInterval, formatInterval } from "../../../src/dna/genome/interval.ts";

const at = (start: number, end: number) => ({ chrom: "chr1", start, end });

test.each([
  [at(100, 300), at(25, 375)],
  [at(100, 299), at(25, 375)], // 151 to add: 75 on the left, 76 on the right
  [at(100, 450), at(100, 450)],
  [at(0, 1000), at(325, 675)],
  [at(0, 351), at(1, 351)], // one to take away: from the left
  [at(10, 20), at(-160, 190)],
])("the window of 350 around %o", (interval, window) => {
  expect(centredWindow(interval, 350)).toEqual(window);
});

test("a centred window has the width and is at most half a base off centre", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 1, max: 5_000 }),
      (start, length, width) => {
        const window = centredWindow(at(start, start + length), width);
        expect(window.end - window.start).toBe(width);
        expect(Math.abs((window.start + window.end) / 2 - (start + length / 2))).toBeLessThanOrEqual(0.5);
      },
    ),
  );
});

test("formats an interval and checks that its end is after its start", () => {
  expect(formatInterval(at(99, 200))).toBe("chr1:99-200");
  expect(() => checkInterval(at(-5, 1))).not.toThrow();
  expect(() => checkInterval(at(5, 5))).toThrow(InputError);
  expect(() => checkInterval(at(9, 5))).toThrow("end 5 is not after start 9 in chr1:9-5");
  expect(() => checkInterval(at(0.5, 5))).toThrow("not integers");
  expect(() => checkInterval(at(0, Number.NaN))).toThrow(InputError);
});
