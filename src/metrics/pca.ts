import { InputError } from "../base/errors.ts";
import type { Pcg64 } from "../base/pcg64.ts";
import { normal } from "../base/random.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";
import { dot, symmetricEigen } from "./symmetric-eigen.ts";

export interface PrincipalComponents {
  /** Mean of each column, subtracted first. [columns] */
  readonly mean: Float64Array;
  /** Directions of length 1, in order of decreasing variance. [components, columns] */
  readonly components: Matrix;
  /** Variance (divided by n − 1) of the rows along each component. [components] */
  readonly explainedVariance: Float64Array;
  /** Share of the total variance; NaN where all rows are equal. [components] */
  readonly explainedVarianceRatio: Float64Array;
  /** Coordinates of the rows along the components. [rows, components] */
  readonly transformed: Matrix;
}

/** Rows processed between two yields. */
const ROWS_PER_TURN = 1024;

export type PcaOptions = { readonly solver: "full" } | { readonly solver: "randomised"; readonly rng: Pcg64 };

/**
 * Principal component analysis: columns are centred, not scaled. In float64. A generator that yields about
 * every second, so that the caller can pause or stop.
 *
 * "full" diagonalises the covariance of the columns, or of the rows where they are fewer: exact, in time
 * proportional to rows · columns · min(rows, columns). "randomised" finds only the leading components, to
 * several digits, in time proportional to rows · columns · components, for tables of thousands of rows and
 * columns. scikit-learn selects it above 500 with few components, as the original did for Task 3; here a
 * covariance of 1,024 columns takes seconds, so "full" suffices there.
 *
 * The sign of a component is arbitrary: its entry of largest absolute value is made positive.
 *
 * @param data        [rows, columns], two rows or more
 * @param components  number of components, at most min(rows, columns)
 * @param options     "full", or "randomised" with the source of its random start
 * @throws {InputError} when an entry is not finite, or there are fewer components than requested
 * @see Pearson 1901, doi:10.1080/14786440109462720; Halko, Martinsson & Tropp 2011, doi:10.1137/090771806
 */
export function* pca(
  data: Matrix,
  components: number,
  options: PcaOptions,
): Generator<void, PrincipalComponents> {
  requireMatrix(data, "feature");
  const { rows, columns } = data;
  const most = Math.min(rows, columns);
  if (!(Number.isInteger(components) && components >= 1 && components <= most && rows >= 2)) {
    throw new InputError(
      `${components} principal components of ${rows} rows and ${columns} columns: expected 1 to ${most}, and two rows or more`,
    );
  }
  const { mean, centred } = centre(data);
  const basis =
    options.solver === "randomised"
      ? yield* randomisedBasis(centred, components, options.rng)
      : yield* fullBasis(centred, components);
  basis.forEach(makeLargestPositive);

  const total = centred.reduce((sum, row) => sum + dot(row, row), 0) / (rows - 1);
  const transformed = new Float64Array(rows * components);
  const explainedVariance = new Float64Array(components);
  for (const [i, row] of centred.entries()) {
    if (i % ROWS_PER_TURN === 0) yield;
    basis.forEach((direction, k) => {
      const along = dot(row, direction);
      transformed[i * components + k] = along;
      explainedVariance[k] += (along * along) / (rows - 1);
    });
  }
  const flat = new Float64Array(components * columns);
  basis.forEach((direction, k) => {
    flat.set(direction, k * columns);
  });
  return {
    mean,
    components: { data: flat, rows: components, columns },
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((variance) => variance / total),
    transformed: { data: transformed, rows, columns: components },
  };
}

function centre({ data, rows, columns }: Matrix) {
  const mean = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) mean[i % columns] += data[i] / rows;
  const centred = Array.from({ length: rows }, (_, row) =>
    Float64Array.from({ length: columns }, (_, k) => data[row * columns + k] - mean[k]),
  );
  return { mean, centred };
}

/** Leading eigenvectors of the smaller of XᵀX and XXᵀ, as directions among the columns. */
function* fullBasis(centred: readonly Float64Array[], components: number): Generator<void, Float64Array[]> {
  const columns = centred[0].length;
  if (columns <= centred.length) {
    return symmetricEigen(yield* gramOfColumns(centred)).vectors.slice(0, components);
  }
  const gram = centred.map((a) => Float64Array.from(centred, (b) => dot(a, b)));
  const kept: Float64Array[] = [];
  for (const weights of symmetricEigen(gram).vectors.slice(0, components)) {
    const direction = new Float64Array(columns);
    centred.forEach((row, i) => {
      for (let k = 0; k < columns; k++) direction[k] += weights[i] * row[k];
    });
    kept.push(direction);
  }
  return kept.map(unit);
}

/** XᵀX, four rows at a time, so that the sums are loaded from memory a quarter as often. */
function* gramOfColumns(centred: readonly Float64Array[]): Generator<void, Float64Array[]> {
  const columns = centred[0].length;
  const none = new Float64Array(columns);
  const gram = Array.from({ length: columns }, () => new Float64Array(columns));
  for (let row = 0; row < centred.length; row += 4) {
    if (row % ROWS_PER_TURN === 0) yield;
    const a = centred[row];
    const b = centred[row + 1] ?? none;
    const c = centred[row + 2] ?? none;
    const d = centred[row + 3] ?? none;
    for (let i = 0; i < columns; i++) {
      const sums = gram[i];
      const [ai, bi, ci, di] = [a[i], b[i], c[i], d[i]];
      for (let j = i; j < columns; j++) sums[j] += ai * a[j] + bi * b[j] + ci * c[j] + di * d[j];
    }
  }
  for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) gram[i][j] = gram[j][i];
  return gram;
}

/** Flips a vector so that its entry of largest absolute value is positive. */
function makeLargestPositive(vector: Float64Array): void {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i];
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** Additional random directions; scikit-learn's default. */
const OVERSAMPLING = 10;

/** Number of power iterations; scikit-learn uses 4 to 7. */
const POWER_ITERATIONS = 7;

/**
 * Leading right singular vectors of a matrix, by random projection and power iterations.
 *
 * Random directions are multiplied by XᵀX repeatedly and kept orthogonal. Their span converges to the leading
 * singular vectors, to several digits; to fewer where singular values are close together.
 *
 * @param matrix  X, [rows, columns] as rows
 * @param count   number of vectors, at most min(rows, columns)
 * @returns       count vectors of length `columns`, orthonormal, largest singular value first
 * @see Halko, Martinsson & Tropp 2011, doi:10.1137/090771806, algorithms 4.4 and 5.1
 */
function* randomisedBasis(
  matrix: readonly Float64Array[],
  count: number,
  rng: Pcg64,
): Generator<void, Float64Array[]> {
  const columns = matrix[0].length;
  const width = Math.min(count + OVERSAMPLING, columns, matrix.length);
  let directions = Array.from({ length: width }, () =>
    Float64Array.from({ length: columns }, () => normal(rng)),
  );
  for (let iteration = 0; iteration <= POWER_ITERATIONS; iteration++) {
    orthonormalise(directions);
    // One pass over X for all directions: y = X q, then q = Xᵀ y.
    const next = directions.map(() => new Float64Array(columns));
    for (const [i, row] of matrix.entries()) {
      if (i % ROWS_PER_TURN === 0) yield;
      directions.forEach((direction, k) => {
        const along = dot(row, direction);
        const sums = next[k];
        for (let column = 0; column < columns; column++) sums[column] += along * row[column];
      });
    }
    directions = next;
  }
  orthonormalise(directions);

  // Restricted to the subspace, XᵀX is small enough to diagonalise.
  const gram = directions.map(() => new Float64Array(width));
  for (const row of matrix) {
    const along = directions.map((direction) => dot(row, direction));
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) gram[i][j] += along[i] * along[j];
  }
  return symmetricEigen(gram)
    .vectors.slice(0, count)
    .map((weights) => {
      const combined = new Float64Array(columns);
      directions.forEach((direction, k) => {
        for (let i = 0; i < columns; i++) combined[i] += weights[k] * direction[i];
      });
      return combined;
    });
}

/** Gram–Schmidt, applied twice against rounding; a vector in the span of the previous ones becomes zero. */
function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, k) => {
    const before = Math.sqrt(dot(vector, vector));
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < k; other++) {
        const along = dot(vector, vectors[other]);
        for (let i = 0; i < vector.length; i++) vector[i] -= along * vectors[other][i];
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    const scale = length > 1e-14 * before ? 1 / length : 0;
    for (let i = 0; i < vector.length; i++) vector[i] *= scale;
  });
}
