import { createHash } from "node:crypto";
import { Pcg64 } from "../src/base/pcg64.ts";
import { normal } from "../src/base/random.ts";
import { KMeans } from "../src/metrics/k-means.ts";
import type { Matrix } from "../src/metrics/matrix.ts";

const ROWS = 25_000;
const COLUMNS = 60;

/** Seeds whose labels are compared with the reference. */
const FIRST = 10;

/**
 * SHA-256 of the labels of the first 10 seeds (int32, seed after seed), computed in plain JavaScript without
 * vector kernels.
 */
const LABELS: Readonly<Record<number, string>> = {
  50: "a1c1b928fb34de4f0b5b88c9fe04c1ed39279cd70798c1257a28312fb5307f06",
  5: "72abfe6778451db30bcc2ccf1fb840e9ee433b8b9dffe53b39dcf9a053fa6165",
};

interface Clusterings {
  readonly clusters: number;
  readonly seeds: number;
  readonly cpuSeconds: number;
  readonly iterationsPerSeed: number;
  readonly labels: string;
  readonly digest: string;
}

/**
 * k-means of Task 3 at published size: 25,000 rows of 60 principal components, 100 seeds (`CLUSTERING_SEEDS`
 * for fewer, at least 10 for the comparison of labels).
 */
export async function benchmark(): Promise<readonly Clusterings[]> {
  const table = overlapping();
  const seeds = Number(process.env.CLUSTERING_SEEDS ?? 100);
  return [50, 5].map((k) => {
    const digest = createHash("sha256");
    let first = "";
    let iterations = 0;
    const before = process.cpuUsage();
    const kMeans = new KMeans(table, k);
    for (let seed = 0; seed < seeds; seed++) {
      const found = kMeans.fit(seed);
      iterations += found.iterations;
      digest.update(new Uint8Array(found.clusters.buffer));
      if (seed + 1 === FIRST) first = digest.copy().digest("hex");
    }
    const { user, system } = process.cpuUsage(before);
    return {
      clusters: k,
      seeds,
      cpuSeconds: (user + system) / 1e6,
      iterationsPerSeed: iterations / seeds,
      labels: first === LABELS[k] ? "as the reference" : "DIFFERENT",
      digest: digest.digest("hex"),
    };
  });
}

/**
 * Points around 40 overlapping centres, with a spread that falls from column to column like that of principal
 * components.
 */
function overlapping(): Matrix {
  const rng = new Pcg64(7);
  const centres = 40;
  const spread = Array.from({ length: COLUMNS }, (_, i) => (i + 1) ** -0.6);
  const at = Array.from({ length: centres * COLUMNS }, (_, i) => normal(rng, 0, 0.7 * spread[i % COLUMNS]));
  const data = new Float64Array(ROWS * COLUMNS);
  for (let row = 0; row < ROWS; row++) {
    const centre = Math.floor(rng.nextFloat64() * centres);
    const scale = Math.exp(0.25 * normal(rng));
    for (let i = 0; i < COLUMNS; i++) {
      data[row * COLUMNS + i] = at[centre * COLUMNS + i] + scale * spread[i] * normal(rng);
    }
  }
  return { data, rows: ROWS, columns: COLUMNS };
}
