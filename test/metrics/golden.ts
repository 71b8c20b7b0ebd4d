import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** Cases computed by SciPy 1.12.0, scikit-learn 1.6.1, statsmodels 0.15.0 and PyTorch 2.13.0. */
export const METRICS = "metrics/metrics.golden.json";

const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** A section of a golden file, with NaN and infinities restored from strings. */
export function goldenSection<T>(file: string, section: string): T {
  const all = JSON.parse(readFileSync(file, "utf8"), (_, value) =>
    typeof value === "string" ? (WORDS[value] ?? value) : value,
  ) as Record<string, T>;
  const cases = all[section];
  if (cases === undefined) throw new Error(`${file} has no section ${section}`);
  return cases;
}

/** Expects |actual − expected| <= absolute + relative·|expected|; NaN and infinities must be equal. */
export function expectClose(
  actual: number,
  expected: number,
  { relative = 0, absolute = 0 }: { readonly relative?: number; readonly absolute?: number },
  label: string,
): void {
  if (!Number.isFinite(expected)) {
    expect(actual, label).toBe(expected);
    return;
  }
  const limit = absolute + relative * Math.abs(expected);
  const off = Math.abs(actual - expected);
  expect(off <= limit, `${label}: ${actual} is ${off} away from ${expected}, allowed ${limit}`).toBe(true);
}

/** Path of a committed file written by a script in scripts/golden. */
export function ownGolden(name: string): string {
  return fileURLToPath(new URL(`../golden/metrics/${name}.json`, import.meta.url));
}
