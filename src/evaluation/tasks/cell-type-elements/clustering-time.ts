import { performance } from "node:perf_hooks";
import { Pcg64 } from "../../../base/pcg64.ts";
import { normal } from "../../../base/random.ts";
import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { adjustedMutualInformationWithout } from "../../../metrics/adjusted-mutual-information.ts";
import { blocksBy } from "../../../metrics/blocks.ts";
import { KMeans } from "../../../metrics/k-means.ts";
import type { Matrix } from "../../../metrics/matrix.ts";
import { pca } from "../../../metrics/pca.ts";
import type { Recipe } from "../recipe.ts";
import { clusteringOf } from "./clusters.ts";

/** Rows of the trial clusterings: those of the published subset; more are extrapolated. */
const MAX_ROWS = 25_000;

/** Seeds that are timed, after one that warms up. */
const SEEDS = 2;

/** Blocks of the score: about one per chromosome. */
const BLOCKS = 23;

/**
 * Seconds of `measureClusters`, from principal components and clusterings of random vectors of the same size.
 *
 * @param rows     number of vectors
 * @param columns  numbers of a vector
 * @param pause    awaited between steps; an error it throws ends the trial
 */
export async function clusteringSeconds(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  recipe: Recipe,
  pause: () => Promise<void>,
): Promise<number> {
  const { components, clusters, seeds, solver } = clusteringOf(recipe);
  const count = Math.min(components, rows, columns);
  if (rows < 2) return 0;
  let seconds = pcaSeconds({ rows, columns, count }, solver);
  const size = Math.min(rows, MAX_ROWS);
  const table = overlapping(size, count);
  const labels = Int32Array.from({ length: size }, (_, row) => row % CELL_LINES.length);
  const blocks = blocksBy(
    labels.map((_, row) => Math.floor((row * BLOCKS) / size)),
    "chromosome",
  );
  for (const k of [clusters, CELL_LINES.length]) {
    if (rows < k || size < k) continue;
    const kMeans = new KMeans(table, k);
    kMeans.fit(0);
    for (let seed = 1; seed <= SEEDS; seed++) {
      await pause();
      const taken = timed(() => adjustedMutualInformationWithout(labels, kMeans.fit(seed).clusters, blocks));
      seconds += (taken * seeds * (rows / size)) / SEEDS;
    }
  }
  return seconds;
}

/** Multiplications up to which principal components are timed at their size. */
const FEW = 2e8;

/** Shape of the trial of larger ones. */
const TRIAL = { rows: 1024, columns: 192 } as const;

function pcaSeconds(
  { rows, columns, count }: { readonly rows: number; readonly columns: number; readonly count: number },
  solver: "full" | "randomised",
): number {
  const take = (rows: number, columns: number) => {
    const table = overlapping(rows, columns);
    const most = Math.min(rows, columns);
    const options =
      solver === "full" || count >= most
        ? ({ solver: "full" } as const)
        : ({ solver, rng: new Pcg64(0) } as const);
    return timed(() => {
      for (const _ of pca(table, Math.min(count, most), options));
    });
  };
  take(64, 16);
  if (rows * columns * Math.min(rows, columns) <= FEW) return take(rows, columns);
  const wide = Math.min(columns, TRIAL.columns);
  const [one, two] = [take(TRIAL.rows, wide), take(2 * TRIAL.rows, wide)];
  const perRow = Math.max(two - one, 0) / TRIAL.rows;
  const fixed = Math.max(one - perRow * TRIAL.rows, 0);
  // A covariance takes columns² per row and its diagonalisation columns³; a randomised basis is linear.
  const wider = columns / wide;
  return solver === "full"
    ? perRow * rows * wider ** 2 + fixed * wider ** 3
    : (perRow * rows + fixed) * wider;
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
}

/** Points around overlapping centres, with a spread that falls from column to column, as of components. */
function overlapping(rows: number, columns: number): Matrix {
  const rng = new Pcg64(7);
  const centres = 40;
  const spread = Float64Array.from({ length: columns }, (_, i) => (i + 1) ** -0.6);
  const at = Float64Array.from({ length: centres * columns }, (_, i) => normal(rng, 0, spread[i % columns]));
  const data = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const centre = row % centres;
    for (let i = 0; i < columns; i++) {
      data[row * columns + i] = at[centre * columns + i] + spread[i] * normal(rng);
    }
  }
  return { data, rows, columns };
}
