import { type Matrix, requireMatrix } from "./matrix.ts";

/** A motif is dropped unless some row has this many hits of it. */
const MIN_HITS = 5;
/** Share of the remaining motifs that are kept: those of largest variance. */
const KEPT_SHARE = 0.2;

/**
 * Motif counts prepared for a principal component analysis: motifs that reach 5 hits in no row are
 * dropped, of the others the 20 % of largest variance are kept, counts become log10(1 + count), and each
 * motif is scaled to mean 0 and variance 1.
 *
 * Follows an exploratory notebook of DART-Eval for its baseline of Task 3 (1,413 motifs to 537 to 108); the
 * procedure of its final version is not known.
 *
 * @param counts  [rows, motifs]
 * @returns       [rows, motifs kept], in their order; undefined where no motif reaches 5 hits
 * @throws {InputError} when a count is not finite
 */
export function motifCountFeatures(counts: Matrix): Matrix | undefined {
  requireMatrix(counts, "count of hits");
  const { data, rows, columns } = counts;
  const column = (motif: number, value: (count: number) => number = (count) => count) =>
    Float64Array.from({ length: rows }, (_, row) => value(data[row * columns + motif]));
  const frequent: { motif: number; variance: number }[] = [];
  for (let motif = 0; motif < columns; motif++) {
    const hits = column(motif);
    if (hits.some((count) => count >= MIN_HITS)) frequent.push({ motif, variance: momentsOf(hits).variance });
  }
  if (frequent.length === 0) return undefined;
  const kept = frequent
    .sort((a, b) => b.variance - a.variance || a.motif - b.motif)
    .slice(0, Math.ceil(KEPT_SHARE * frequent.length))
    .map(({ motif }) => motif)
    .sort((a, b) => a - b);
  const features = new Float64Array(rows * kept.length);
  kept.forEach((motif, i) => {
    const logs = column(motif, (count) => Math.log10(1 + count));
    const { mean, variance } = momentsOf(logs);
    // A motif with equal counts has no scale and stays at 0.
    const scale = variance === 0 ? 1 : Math.sqrt(variance);
    logs.forEach((value, row) => {
      features[row * kept.length + i] = (value - mean) / scale;
    });
  });
  return { data: features, rows, columns: kept.length };
}

/** Mean and biased variance (divided by n). */
function momentsOf(values: Float64Array): { readonly mean: number; readonly variance: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, variance: squares / values.length };
}
