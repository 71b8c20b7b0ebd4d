import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { classLogOdds, paperLogComplement, paperLogOdds } from "../../src/metrics/log-odds.ts";
import { logProbabilities } from "../../src/metrics/losses.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS } from "./golden.ts";

testWithSharedData("the original's float32 log-odds agree with PyTorch", METRICS, (file) => {
  interface Golden {
    readonly log_p: number;
    readonly log_1_minus_p: number;
    readonly log_odds: number;
  }
  const cases = goldenSection<readonly Golden[]>(file, "logodds_float32");
  let finite = 0;
  for (const { log_p, log_1_minus_p, log_odds } of cases) {
    expectClose(paperLogComplement(log_p), log_1_minus_p, { relative: 1.2e-7 }, `ln(1 − p) of ${log_p}`);
    if (!Number.isFinite(log_odds)) continue;
    finite++;
    expectClose(paperLogOdds(log_p, "minus-999"), log_odds, { relative: 1.2e-7 }, `log-odds of ${log_p}`);
  }
  expect([cases.length, finite]).toEqual([12, 11]);
});

test("replaces infinite log-odds as the original does", () => {
  expect(paperLogOdds(0, "minus-999")).toBe(999);
  expect(paperLogOdds(0, "largest-float32")).toBe(3.4028234663852886e38);
  expect(paperLogOdds(Number.NEGATIVE_INFINITY, "minus-999")).toBe(Number.NEGATIVE_INFINITY);
});

test("from logits, by hand: one class against two others", () => {
  const logits = { data: Float64Array.of(Math.log(2), 0, 0, 0, Math.log(3), 0), rows: 2, columns: 3 };
  expect([...classLogOdds(logits, 0)]).toEqual([expect.closeTo(0, 14), expect.closeTo(-Math.log(4), 14)]);
  expect([...classLogOdds(logits, 1)]).toEqual([
    expect.closeTo(-Math.log(3), 14),
    expect.closeTo(Math.log(1.5), 14),
  ]);
});

test("is finite and ordered where the original's float32 is not", () => {
  const logits = { data: Float64Array.of(50, 0, 60, 0), rows: 2, columns: 2 };
  expect([...classLogOdds(logits, 0)]).toEqual([50, 60]);
  expect(
    [...logProbabilities(logits).data]
      .filter((_, i) => i % 2 === 0)
      .map((lp) => paperLogOdds(lp, "minus-999")),
  ).toEqual([999, 999]);
});

test("equals ln p − ln(1 − p)", () => {
  const row = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(row, fc.nat(), (logits, pick) => {
      const matrix = { data: Float64Array.from(logits), rows: 1, columns: logits.length };
      const chosen = pick % logits.length;
      const p = Math.exp(logProbabilities(matrix).data[chosen]);
      expect(classLogOdds(matrix, chosen)[0]).toBeCloseTo(Math.log(p) - Math.log1p(-p), 6);
    }),
  );
});

test("rejects an unknown class, a single class, and values that are not probabilities", () => {
  const logits = { data: Float64Array.of(1, 2), rows: 1, columns: 2 };
  expect(() => classLogOdds(logits, 2)).toThrow(InputError);
  expect(() => classLogOdds({ data: Float64Array.of(1), rows: 1, columns: 1 }, 0)).toThrow(InputError);
  expect(() => paperLogOdds(0.1, "minus-999")).toThrow(InputError);
  expect(() => paperLogOdds(Number.NaN, "minus-999")).toThrow(InputError);
});
