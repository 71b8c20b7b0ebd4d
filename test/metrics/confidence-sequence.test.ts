import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { anyTimeLevel } from "../../src/metrics/confidence-sequence.ts";
import { normalQuantile } from "../../src/metrics/distributions.ts";

const errorsAt = (rows: number) => -normalQuantile((1 - anyTimeLevel(rows)) / 2);

test("standard errors of the bounds by the number of rows, by the formula of the paper", () => {
  // Python: sqrt(2*(t*r+1)/(t*r)*log(sqrt(t*r+1)/0.05)), r = (-2*log(.05)+log(1-2*log(.05)))/1000
  expect(errorsAt(100)).toBeCloseTo(3.855054634, 6);
  expect(anyTimeLevel(1)).toBeLessThan(1);
  expect(errorsAt(1000)).toBeCloseTo(3.03520899, 6);
  expect(errorsAt(100_000)).toBeCloseTo(3.561641041, 6);
  expect(() => anyTimeLevel(10, 1)).toThrow(InputError);
});

test("means of independent rows leave the bounds at any time in fewer than 5 % of sequences", () => {
  const rng = new Pcg64(12);
  const SEQUENCES = 400;
  let [left, leftFixed] = [0, 0];
  for (let i = 0; i < SEQUENCES; i++) {
    let total = 0;
    let [ever, everFixed] = [false, false];
    for (let rows = 1; rows <= 4000; rows++) {
      total += normal(rng);
      if (rows < 100 || rows % 50 !== 0) continue;
      const errors = Math.abs(total) / Math.sqrt(rows);
      ever ||= errors > errorsAt(rows);
      everFixed ||= errors > 1.96;
    }
    if (ever) left++;
    if (everFixed) leftFixed++;
  }
  expect(left / SEQUENCES).toBeLessThan(0.05);
  // Intervals of a fixed number of rows, looked at as often.
  expect(leftFixed / SEQUENCES).toBeGreaterThan(0.2);
});
