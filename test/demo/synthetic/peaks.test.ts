import { describe, expect, test } from "vitest";
import { negLog10QValues, poissonNegLog10P } from "../../../src/demo/synthetic/peaks.ts";

// Expected values: SciPy 1.17.1 (poisson.logsf, false_discovery_control); the count of 300: mpmath gammainc.
describe("p-values and q-values of peaks", () => {
  test.each([
    [0, 5, 0],
    [1, 5, 0.0029361561794433314],
    [3, 5, 0.05781926586286738],
    [5, 5, 0.25219469690752594],
    [12, 5, 2.2633571821267924],
    [40, 5, 22.068032678552353],
    [300, 5, 406.9589997781874],
    [2, 0.01, 4.303924085300611],
    [7, 30, 5.095117974425235e-8],
    [60, 30, 6.0337705343218015],
  ])("-log10 P(Poisson >= %d | mean %d)", (count, mean, expected) => {
    expect(poissonNegLog10P(count, mean)).toBeCloseTo(expected, count === 300 ? 10 : 12);
  });

  test("Benjamini-Hochberg q-values, unsorted and with ties", () => {
    const q = negLog10QValues([0.03, 1e-9, 0.5, 0.03, 0.9, 2e-4, 0.011].map((p) => -Math.log10(p)));
    const expected = [
      ...[1.3767507096020997, 8.154901959985743, 0.23408320603336796, 1.3767507096020997],
      ...[0.045757490560675115, 3.154901959985743, 1.5906305295471805],
    ];
    q.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 12);
    });
  });
});
