import fc from "fast-check";
import { expect, test } from "vitest";
import { axisDomain } from "../../src/report/chart-data.ts";

const span = fc
  .tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 0, max: 50, noNaN: true }))
  .map(([low, width]) => ({ low, high: low + width }));

test("includes every interval and chance, also negative ones", () => {
  fc.assert(
    fc.property(
      fc.array(span, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(null, 0, 0.5),
      (spans, chance) => {
        const [low, high] = axisDomain(spans, chance);
        for (const one of [...spans, ...(chance === null ? [] : [{ low: chance, high: chance }])]) {
          expect(one.low).toBeGreaterThanOrEqual(low);
          expect(one.high).toBeLessThanOrEqual(high);
        }
      },
    ),
  );
});

test("an axis of shares stays within 0 and 1", () => {
  expect(axisDomain([{ low: 0.01, high: 0.99 }], 0.5)).toEqual([0, 1]);
  expect(axisDomain([{ low: 0.4, high: 0.6 }], null)[0]).toBeCloseTo(0.38, 9);
});
