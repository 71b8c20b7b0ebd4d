import { InternalError } from "../base/errors.ts";

/** Limit of QR steps per eigenvalue, which takes two or three; reached only if the matrix contains a NaN. */
const MAX_STEPS = 60;

export interface Eigen {
  /** Largest first. [d] */
  readonly values: Float64Array;
  /** Row i is the eigenvector of value i, of length 1; its sign is arbitrary. [d, d] */
  readonly vectors: readonly Float64Array[];
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then the
 * implicit QR method with Wilkinson's shift. About 10 d³ operations.
 *
 * @param matrix  [d, d] as rows; overwritten
 * @see Golub & Van Loan 2013, Matrix Computations, algorithms 8.3.1 and 8.3.3
 */
export function symmetricEigen(matrix: readonly Float64Array[]): Eigen {
  // Scaled by a power of two, which is exact, so that no square overflows or underflows.
  const largest = matrix.reduce(
    (most, row) => row.reduce((m, value) => Math.max(m, Math.abs(value)), most),
    0,
  );
  const scale = largest === 0 ? 1 : 2 ** -Math.floor(Math.log2(largest));
  for (const row of matrix) for (let i = 0; i < row.length; i++) row[i] *= scale;
  const { diagonal, offDiagonal, betas } = tridiagonalise(matrix);
  const basis = productOfReflections(matrix, betas);
  diagonalise(diagonal, offDiagonal, basis);
  const order = Array.from(diagonal, (_, i) => i).sort((a, b) => diagonal[b] - diagonal[a]);
  return {
    values: Float64Array.from(order, (i) => diagonal[i] / scale),
    vectors: order.map((i) => basis[i]),
  };
}

/**
 * Reduces a matrix to tridiagonal form, with `offDiagonal` on both sides of the diagonal, by reflections
 * I − β v vᵀ; v of step k starts at k + 1 and overwrites row k of the matrix.
 */
function tridiagonalise(matrix: readonly Float64Array[]) {
  const d = matrix.length;
  const diagonal = new Float64Array(d);
  const offDiagonal = new Float64Array(Math.max(d - 1, 0));
  const betas = new Float64Array(d);
  const w = new Float64Array(d);
  for (let k = 0; k + 1 < d; k++) {
    const v = matrix[k];
    diagonal[k] = v[k];
    let norm = 0;
    for (let i = k + 1; i < d; i++) norm = Math.hypot(norm, v[i]);
    if (norm === 0) continue;
    // The sign that avoids cancellation in the first entry of v.
    const reflected = v[k + 1] > 0 ? -norm : norm;
    offDiagonal[k] = reflected;
    v[k + 1] -= reflected;
    const beta = -1 / (reflected * v[k + 1]);
    betas[k] = beta;
    let projection = 0;
    for (let i = k + 1; i < d; i++) {
      w[i] = beta * dot(matrix[i], v, k + 1);
      projection += w[i] * v[i];
    }
    for (let i = k + 1; i < d; i++) w[i] -= (beta / 2) * projection * v[i];
    for (let i = k + 1; i < d; i++) {
      const row = matrix[i];
      for (let j = k + 1; j < d; j++) row[j] -= v[i] * w[j] + w[i] * v[j];
    }
  }
  if (d > 0) diagonal[d - 1] = matrix[d - 1][d - 1];
  return { diagonal, offDiagonal, betas };
}

/** Orthogonal basis for which basis · matrix · basisᵀ is the tridiagonal form. */
function productOfReflections(vectors: readonly Float64Array[], betas: Float64Array): Float64Array[] {
  const d = vectors.length;
  const basis = Array.from({ length: d }, (_, i) => {
    const row = new Float64Array(d);
    row[i] = 1;
    return row;
  });
  // Last reflection first: each applies only to the corner that is not yet the identity.
  for (let k = d - 2; k >= 0; k--) {
    if (betas[k] === 0) continue;
    const v = vectors[k];
    for (let i = k + 1; i < d; i++) {
      const row = basis[i];
      const scale = betas[k] * dot(row, v, k + 1);
      for (let j = k + 1; j < d; j++) row[j] -= scale * v[j];
    }
  }
  return basis;
}

/** Reduces `offDiagonal` to 0 by rotations, which are also applied to the rows of the basis. */
function diagonalise(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  basis: readonly Float64Array[],
): void {
  let steps = 0;
  for (let last = diagonal.length - 1; last > 0; ) {
    let first = last;
    while (first > 0 && !negligible(first - 1)) first--;
    if (first > 0) offDiagonal[first - 1] = 0;
    if (first === last) {
      last--;
      steps = 0;
      continue;
    }
    if (++steps > MAX_STEPS) throw new InternalError("the eigenvalues of a matrix did not converge");
    step(diagonal, offDiagonal, basis, first, last);
  }

  function negligible(i: number): boolean {
    const size = Math.abs(diagonal[i]) + Math.abs(diagonal[i + 1]);
    return Math.abs(offDiagonal[i]) <= Number.EPSILON * size;
  }
}

/** One implicit QR step on the block first..last. */
function step(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  basis: readonly Float64Array[],
  first: number,
  last: number,
): void {
  const corner = offDiagonal[last - 1];
  const delta = (diagonal[last - 1] - diagonal[last]) / 2;
  const root = Math.hypot(delta, corner);
  const shift = diagonal[last] - (corner * corner) / (delta + (delta < 0 ? -root : root));
  let x = diagonal[first] - shift;
  let z = offDiagonal[first];
  for (let k = first; k < last; k++) {
    const length = Math.hypot(x, z);
    const c = length === 0 ? 1 : x / length;
    const s = length === 0 ? 0 : z / length;
    if (k > first) offDiagonal[k - 1] = length;
    const a = diagonal[k];
    const b = diagonal[k + 1];
    const e = offDiagonal[k];
    diagonal[k] = c * c * a + 2 * c * s * e + s * s * b;
    diagonal[k + 1] = s * s * a - 2 * c * s * e + c * c * b;
    offDiagonal[k] = (c * c - s * s) * e + c * s * (b - a);
    if (k + 1 < last) {
      x = offDiagonal[k];
      z = s * offDiagonal[k + 1];
      offDiagonal[k + 1] *= c;
    }
    rotate(basis[k], basis[k + 1], c, s);
  }
}

function rotate(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let i = 0; i < a.length; i++) {
    const kept = a[i];
    a[i] = c * kept + s * b[i];
    b[i] = c * b[i] - s * kept;
  }
}

/** Scalar product of two vectors, without the entries before `from`. */
export function dot(a: Float64Array, b: Float64Array, from = 0): number {
  let total = 0;
  for (let i = from; i < a.length; i++) total += a[i] * b[i];
  return total;
}
