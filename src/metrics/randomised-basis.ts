import { runToEnd } from "../base/generator-work.ts";
import type { Pcg64 } from "../base/pcg64.ts";
import { normal } from "../base/random.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** Directions taken along beyond those asked for; scikit-learn's default. */
const OVERSAMPLING = 10;

/** Rows that are worked through between two turns of others. */
const ROWS_PER_TURN = 1024;

/** Times the random directions are drawn through the matrix and back; scikit-learn's 4 to 7. */
const POWER_ITERATIONS = 7;

/**
 * Leading right singular vectors of a matrix, by random projection and power iterations.
 *
 * Random directions are drawn through XᵀX again and again and kept orthogonal; the subspace they end up in holds the leading
 * singular vectors to several digits, fewer where singular values lie close together.
 *
 * @param matrix  X, [rows, columns] as rows
 * @param count   how many vectors; at most min(rows, columns)
 * @returns       count vectors of length `columns`, orthonormal, largest singular value first
 * @see Halko, Martinsson & Tropp 2011, doi:10.1137/090771806, algorithms 4.4 and 5.1
 */
export function randomisedBasis(matrix: readonly Float64Array[], count: number, rng: Pcg64): Float64Array[] {
  return runToEnd(randomisedBasisSteps(matrix, count, rng));
}

/** `randomisedBasis` that yields every second or so. */
export function* randomisedBasisSteps(
  matrix: readonly Float64Array[],
  count: number,
  rng: Pcg64,
): Generator<void, Float64Array[]> {
  const columns = matrix[0]!.length;
  const width = Math.min(count + OVERSAMPLING, columns, matrix.length);
  let directions = Array.from({ length: width }, () =>
    Float64Array.from({ length: columns }, () => normal(rng)),
  );
  for (let iteration = 0; iteration <= POWER_ITERATIONS; iteration++) {
    orthonormalise(directions);
    // One pass over X: y = X q, then q = Xᵀ y, for all directions at once.
    const next = directions.map(() => new Float64Array(columns));
    for (const [i, row] of matrix.entries()) {
      if (i % ROWS_PER_TURN === 0) yield;
      directions.forEach((direction, k) => {
        const along = dot(row, direction);
        const sums = next[k]!;
        for (let column = 0; column < columns; column++) sums[column]! += along * row[column]!;
      });
    }
    directions = next;
  }
  orthonormalise(directions);

  // The matrix within the subspace is small enough to diagonalise.
  const gram = directions.map(() => new Float64Array(width));
  for (const row of matrix) {
    const along = directions.map((direction) => dot(row, direction));
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) gram[i]![j]! += along[i]! * along[j]!;
  }
  return symmetricEigen(gram)
    .vectors.slice(0, count)
    .map((weights) => {
      const combined = new Float64Array(columns);
      directions.forEach((direction, k) => {
        for (let i = 0; i < columns; i++) combined[i]! += weights[k]! * direction[i]!;
      });
      return combined;
    });
}

/** Gram–Schmidt, twice, which leaves nothing but rounding; a vector within the span of those before becomes zero. */
function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, k) => {
    const before = Math.sqrt(dot(vector, vector));
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < k; other++) {
        const along = dot(vector, vectors[other]!);
        for (let i = 0; i < vector.length; i++) vector[i]! -= along * vectors[other]![i]!;
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    const scale = length > 1e-14 * before ? 1 / length : 0;
    for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
