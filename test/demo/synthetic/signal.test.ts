import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { TELOMERE } from "../../../src/demo/synthetic/background.ts";
import { drawCuts, logFoldChange, meanCuts, meanCutsInWindow } from "../../../src/demo/synthetic/signal.ts";

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

describe("signal", () => {
  test("background cuts have their rate; telomeres have none", () => {
    const length = 2_000_000;
    const cuts = drawCuts(new Pcg64(1), length, []);
    const expected = 0.01 * (length - 2 * TELOMERE);
    expect(Math.abs(sum(cuts) - expected)).toBeLessThan(5 * Math.sqrt(expected));
    expect(sum(cuts.subarray(0, TELOMERE)) + sum(cuts.subarray(-TELOMERE))).toBe(0);
  });

  test("an element's cuts have the given mean, variance m + m²/10, and are centred", () => {
    const mean = 100;
    const centres = Array.from({ length: 2000 }, (_, i) => 3000 + 1000 * i);
    const cuts = drawCuts(
      new Pcg64(2),
      centres.at(-1)! + 3000,
      centres.map((centre) => ({ centre, mean })),
    );
    const counts = centres.map((centre) => sum(cuts.subarray(centre - 450, centre + 451)) - 0.01 * 901);
    const average = sum(counts) / counts.length;
    const variance = sum(counts.map((count) => (count - average) ** 2)) / counts.length;
    const expected = mean + mean ** 2 / 10 + 9;
    expect(Math.abs(average - mean)).toBeLessThan(5 * Math.sqrt(expected / counts.length));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.2);
    const inner = centres.map((centre) => sum(cuts.subarray(centre - 110, centre + 111)) - 2.21);
    expect(sum(inner) / sum(counts)).toBeCloseTo(0.685, 1); // one standard deviation to each side
    const sides = centres.map((centre) => sum(cuts.subarray(centre + 1, centre + 450)));
    expect(sum(sides) / sum(counts)).toBeCloseTo(0.5, 1);
  });

  test("no cuts beyond the background without sites; effects are differences of logarithms", () => {
    expect(meanCuts(0)).toBe(0);
    expect(meanCuts(Math.log(51))).toBeCloseTo(100, 9);
    expect(meanCutsInWindow(Math.log(51))).toBeCloseTo(110, 9);
    expect(logFoldChange(0, Math.log(51))).toBeCloseTo(Math.log(11), 9);
    expect(logFoldChange(1.7, 2.9)).toBeCloseTo(-logFoldChange(2.9, 1.7), 12);
  });
});
