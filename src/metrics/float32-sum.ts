const { fround } = Math;

/** Threads of a warp, and entries that each loads at once. */
const THREADS = 32;
const PER_LOAD = 4;
const LANES = THREADS * PER_LOAD;

/**
 * Sum in float32 with the shape of a GPU's reduction of one row (`torch.sum` on CUDA): 128 running sums, four to a thread, then
 * threads in pairs, pairs of pairs and so on. The result and all sums on the way are float32, so it is a multiple of the
 * distance between float32 numbers of its size: 3e-5 at 350, 2.4e-4 at 3,000.
 *
 * @returns  0 without numbers
 */
export function float32Sum(values: ArrayLike<number>): number {
  const lanes = new Float32Array(LANES);
  for (let i = 0; i < values.length; i++) lanes[i % LANES]! += fround(values[i]!);
  const sums = new Float32Array(THREADS);
  for (let lane = 0; lane < LANES; lane++) sums[Math.floor(lane / PER_LOAD)]! += lanes[lane]!;
  for (let count = THREADS / 2; count >= 1; count /= 2) {
    for (let i = 0; i < count; i++) sums[i] = sums[2 * i]! + sums[2 * i + 1]!;
  }
  return sums[0]!;
}
