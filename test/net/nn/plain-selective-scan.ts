/** Sizes: t tokens · b rows · e channels · n states of a channel. */
export interface ScanSizes {
  readonly t: number;
  readonly b: number;
  readonly e: number;
  readonly n: number;
}

/** Row-major: A [n, e], x and step [t, b, e], B and C [t, b, n]. */
export interface ScanArrays {
  readonly A: Float32Array;
  readonly x: Float32Array;
  readonly step: Float32Array;
  readonly B: Float32Array;
  readonly C: Float32Array;
}

/** The recurrence by definition, in float64: y [t, b, e]. */
export function plainSelectiveScan(
  { t, b, e, n }: ScanSizes,
  { A, x, step, B, C }: ScanArrays,
): Float64Array {
  const y = new Float64Array(t * b * e);
  for (let row = 0; row < b; row++) {
    for (let channel = 0; channel < e; channel++) {
      const h = new Float64Array(n);
      for (let token = 0; token < t; token++) {
        const place = token * b + row;
        const at = place * e + channel;
        for (let state = 0; state < n; state++) {
          const decay = Math.exp(step[at] * A[state * e + channel]);
          h[state] = decay * h[state] + step[at] * B[place * n + state] * x[at];
          y[at] += C[place * n + state] * h[state];
        }
      }
    }
  }
  return y;
}
