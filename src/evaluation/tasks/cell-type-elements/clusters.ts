import { join } from "node:path";
import { sha256Hex } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import { Pcg64 } from "../../../base/pcg64.ts";
import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import {
  adjustedMutualInformationOver,
  adjustedMutualInformationWithout,
} from "../../../metrics/adjusted-mutual-information.ts";
import { type Blocks, chromosomeBlocks, genomicBlocks, singleRows } from "../../../metrics/blocks.ts";
import type { Estimate } from "../../../metrics/intervals.ts";
import type { Matrix } from "../../../metrics/matrix.ts";
import { mean } from "../../../metrics/mean.ts";
import { motifCountFeatures } from "../../../metrics/motif-count-features.ts";
import { pca } from "../../../metrics/pca.ts";
import {
  type SeededScores,
  scoreOverBlocks,
  scoreSpread,
  seededClusters,
} from "../../../metrics/seeded-clusters.ts";
import { positionsOf } from "../intervals.ts";
import {
  finiteEstimate,
  finiteOrNull,
  type Measurement,
  type Metric,
  metricOf,
  type QuirkEffect,
} from "../measurement.ts";
import { ofKind, type Predictions, type VectorPrediction } from "../prediction.ts";
import type { Recipe } from "../recipe.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import { classOf, rowsPerLine } from "./classified.ts";
import { ClusteringLog, clusteringStage, runWithPauses, yieldToEventLoop } from "./clustering-progress.ts";
import type { CellTypeFacts } from "./subset.ts";

/** Metrics of clusterings. */
export type ClusterMetric = "adjusted-mutual-information" | "adjusted-mutual-information-5";

type VectorRow = VectorPrediction<CellTypeFacts>;

/** Clustering parameters of the recipe. */
export interface Clustering {
  readonly transform: "raw" | "motif-counts";
  readonly components: number;
  readonly solver: "full" | "randomised";
  readonly clusters: number;
  readonly seeds: number;
}

/** Seeds for the comparison of the two orders of vectors (quirk Q2); the result itself uses the recipe's. */
const SEEDS_OF_QUIRK = 10;

/** Minimum number of chromosomes for blocks of whole chromosomes; with fewer, blocks are 1 Mb. */
const ENOUGH_CHROMOSOMES = 10;

/**
 * Unsupervised cell-type information in pooled embeddings: adjusted mutual information of cell lines and
 * k-means clusters of the vectors' principal components, averaged over seeds; with 50 clusters, as published,
 * and with one cluster per line.
 *
 * Vectors shorter than the number of components have as many components as numbers; with fewer rows than
 * clusters the score is undefined.
 *
 * Takes about a second per seed on the whole subset. The event loop runs between seeds and during PCA;
 * finished clusterings are stored in the cell's folder.
 *
 * @throws the signal's reason
 */
export async function measureClusters(
  predictions: Predictions<CellTypeFacts>,
  context: MeasureContext,
): Promise<Measurement<ClusterMetric>> {
  const rows = ofKind("vector", predictions);
  const how = clusteringOf(context.recipe);
  const labels = rows.map(classOf);
  const blocks = blocksOf(rows);
  const notes: string[] = [];
  const space = spaceOf(vectorsOf(rows, context, how), how, notes);
  const scores = await clusterer(rows.length, context);
  const cluster = (of: Space, k: number, seeds: number, what: string) =>
    scores(of, { k, seeds, what }, (clusters) => adjustedMutualInformationWithout(labels, clusters, blocks));
  const kinds = [
    {
      name: "adjusted-mutual-information",
      title: `AMI, ${how.clusters} clusters`,
      k: how.clusters,
      main: true,
    },
    {
      name: "adjusted-mutual-information-5",
      title: `AMI, ${CELL_LINES.length} clusters`,
      k: CELL_LINES.length,
      main: false,
    },
  ] as const;
  let main: SeededScores | undefined;
  const metrics: Metric<ClusterMetric>[] = [];
  for (const { k, ...form } of kinds) {
    if (space === undefined || rows.length < k) {
      const why = rows.length < k ? tooFewRows(rows.length, k) : "no feature remains";
      metrics.push(metricOf({ ...form, better: "higher" }, Number.NaN, why));
      continue;
    }
    const found = await cluster(space, k, how.seeds, "");
    if (form.main) main = found;
    const spread = scoreSpread(found);
    const overBlocks = scoreOverBlocks(found, blocks);
    const intervals = context.protocol === "paper" ? [spread, overBlocks] : [overBlocks, spread];
    metrics.push({ ...metricOf({ ...form, better: "higher" }, spread.value, "", intervals), chance: 0 });
  }
  const spread = main === undefined ? undefined : scoreSpread(main);
  return {
    metrics,
    published: {
      ami_mean: finiteOrNull(spread?.value ?? Number.NaN),
      ami_interval: finiteOrNull(spread === undefined ? Number.NaN : spread.high - spread.value),
    },
    counts: {
      rows: rows.length,
      rowsInTable: context.rowsInTable,
      ...rowsPerLine(labels),
      components: space?.count ?? 0,
      clusters: how.clusters,
      seeds: how.seeds,
      [`${blocks.kind === "chromosome" ? "chromosomes" : "blocks"}`]: blocks.sizes.length,
    },
    averages: {},
    quirks: main === undefined ? [] : await quirksOf(rows, { how, found: main, context, cluster }),
    notes,
  };
}

/**
 * Adjusted mutual information of the published number of clusters, averaged over seeds, over blocks of rows;
 * the clusters are those of all rows. Clusterings that merging stored in the cell's folder are read, others
 * are made again.
 *
 * @throws the signal's reason
 */
export async function clustersStatistic(
  predictions: Predictions<CellTypeFacts>,
  context: MeasureContext,
): Promise<MainStatistic<ClusterMetric>> {
  const rows = ofKind("vector", predictions);
  const how = clusteringOf(context.recipe);
  const blocks = blocksOf(rows);
  const space = spaceOf(vectorsOf(rows, context, how), how, []);
  const metric = "adjusted-mutual-information";
  if (space === undefined || rows.length < how.clusters) {
    return { metric, blocks, statistic: () => Number.NaN };
  }
  const labels = rows.map(classOf);
  const scoresOf = await clusterer(rows.length, context);
  const scores = await scoresOf(space, { k: how.clusters, seeds: how.seeds, what: "" }, (clusters) =>
    adjustedMutualInformationOver(labels, clusters, blocks),
  );
  return { metric, blocks, statistic: (times) => mean(scores.map((score) => score(times))) };
}

interface Clusterings {
  readonly k: number;
  readonly seeds: number;
  /** Distinguishes the stage in its label. */
  readonly what: string;
}

/** Scores clusterings, which are made or read from the cell's folder. */
async function clusterer(rows: number, { work: { folder, readOnly, ...work } = {} }: MeasureContext) {
  const logged =
    folder === undefined ? undefined : await ClusteringLog.open(join(folder, "clusterings.jsonl"));
  return <Score>(of: Space, { k, seeds, what }: Clusterings, scoreOf: (clusters: Int32Array) => Score) => {
    const log = logged?.of(of.identity, k, rows);
    const stored = log && readOnly ? { ...log, store: async () => {} } : log;
    const { cached, between } = clusteringStage(`clustering ${what}into ${k}`, seeds, work, stored);
    const data = () => of.components(() => yieldToEventLoop(work.signal));
    return seededClusters(data, scoreOf, { k, seeds, cached, between });
  };
}

/** @throws {InputError} when a value is invalid */
export function checkClusteringRecipe(recipe: Recipe): void {
  clusteringOf(recipe);
}

/** Clustering parameters of a recipe. @throws {InputError} when a value is invalid */
export function clusteringOf(recipe: Recipe): Clustering {
  const { transform, solver } = recipe;
  if (transform !== "raw" && transform !== "motif-counts") {
    throw unfit("transform", recipe, '"raw" or "motif-counts"');
  }
  if (solver !== "full" && solver !== "randomised") throw unfit("solver", recipe, '"full" or "randomised"');
  return {
    transform,
    solver,
    components: countOf("components", recipe),
    clusters: countOf("clusters", recipe),
    seeds: countOf("clusterSeeds", recipe),
  };
}

const tooFewRows = (rows: number, clusters: number) =>
  `${clusters} clusters need at least ${clusters} rows; there ${rows === 1 ? "is" : "are"} ${rows}`;

function countOf(name: string, recipe: Recipe): number {
  const value = recipe[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw unfit(name, recipe, "a whole number of 1 or more");
}

const unfit = (name: string, recipe: Recipe, expected: string) =>
  new InputError(`${name} of the recipe is ${JSON.stringify(recipe[name])}; ${expected} is expected`);

/**
 * Vectors in the order in which they meet the labels of rows in row order.
 *
 * Paper: for rows of a list, the original takes vectors in list order and labels in row order, which is the
 * same if the list is ascending. Motif counts come from their own table, in the order of the labels.
 */
function vectorsOf(
  rows: readonly VectorRow[],
  { protocol }: MeasureContext,
  { transform }: Clustering,
): readonly string[] {
  return inOrder(rows, protocol === "paper" && transform === "raw").map(({ vectors }) => vectors[0]);
}

/** Rows in row order, or in the order of their list if they have one. */
function inOrder(rows: readonly VectorRow[], ofList: boolean): readonly VectorRow[] {
  if (!ofList) return rows;
  const placed = rows.flatMap((row) => (row.facts.place === undefined ? [] : [{ row, at: row.facts.place }]));
  return placed.length < rows.length ? rows : placed.sort((a, b) => a.at - b.at).map(({ row }) => row);
}

/** Principal components of vectors. */
interface Space {
  /** Digest of the vectors, solver and number of components. */
  readonly identity: string;
  /** Number of components. */
  readonly count: number;
  /** [rows, count]; computed on first use. */
  readonly components: (pause: () => Promise<void>) => Promise<Matrix>;
}

/** Principal components by the recipe; undefined if no column of the vectors remains. */
function spaceOf(
  vectors: readonly string[],
  { transform, components, solver }: Clustering,
  notes: string[],
): Space | undefined {
  const matrix = vectorMatrix(vectors);
  if (matrix.rows < 2) return undefined;
  const table = transform === "motif-counts" ? motifCountFeatures(matrix) : matrix;
  if (table === undefined) {
    notes.push("No motif has 5 hits in any row: no feature remains to cluster.");
    return undefined;
  }
  const most = Math.min(table.rows, table.columns);
  if (most < components) {
    notes.push(
      `The recipe has ${components} principal components; ${table.rows} rows of ${table.columns} numbers have only ${most}.`,
    );
  }
  const count = Math.min(components, most);
  const { buffer, byteOffset, byteLength } = table.data;
  const digest = sha256Hex(new Uint8Array(buffer, byteOffset, byteLength));
  let found: Matrix | undefined;
  return {
    identity: `${digest} ${solver} ${count}`,
    count,
    async components(pause) {
      // The randomised solver approximates a few of many components; all of them need the full one.
      const options =
        solver === "full" || count === most
          ? ({ solver: "full" } as const)
          : ({ solver, rng: new Pcg64(0) } as const);
      found ??= (await runWithPauses(pca(table, count, options), pause)).transformed;
      return found;
    },
  };
}

function blocksOf(rows: readonly VectorRow[]): Blocks {
  const places = positionsOf(rows);
  if (places === undefined) return singleRows(rows.length);
  const chromosomes = chromosomeBlocks(places);
  return chromosomes.sizes.length >= ENOUGH_CHROMOSOMES ? chromosomes : genomicBlocks(places);
}

interface FoundClusters {
  readonly how: Clustering;
  readonly found: SeededScores;
  readonly context: MeasureContext;
  readonly cluster: (of: Space, k: number, seeds: number, what: string) => Promise<SeededScores>;
}

/** Effect of quirk Q2, if the predictions include the other order of vectors. */
async function quirksOf(
  rows: readonly VectorRow[],
  { how, found, context, cluster }: FoundClusters,
): Promise<readonly QuirkEffect[]> {
  const paper = context.protocol === "paper";
  const others = inOrder(rows, !paper).map(
    ({ byVariant }) => byVariant?.[paper ? "file-order" : "text-order"]?.[0],
  );
  if (!others.every((vector) => vector !== undefined)) return [];
  const space = spaceOf(others, how, []);
  if (space === undefined) return [];
  const seeds = Math.min(SEEDS_OF_QUIRK, how.seeds);
  const own = finiteEstimate(scoreSpread(found.slice(0, seeds)));
  const other = finiteEstimate(
    scoreSpread(await cluster(space, how.clusters, seeds, "the other order of vectors ")),
  );
  const effect: Readonly<Record<"paper" | "corrected", Estimate | null>> = paper
    ? { paper: own, corrected: other }
    : { paper: other, corrected: own };
  return [
    {
      label: "Q2",
      description: `AMI, mean over the first ${seeds} seeds. Original: embeddings are concatenated in the text order of the batch names and attached to the wrong rows. Corrected: each row has its own embedding.`,
      effect,
    },
  ];
}

/**
 * Pooled embeddings as rows of a matrix.
 *
 * @param vectors  little-endian float32 in base64, one text per row
 * @throws {InputError} when they differ in length, or a length is not a multiple of 4 bytes
 */
function vectorMatrix(vectors: readonly string[]): Matrix {
  const rows = vectors.length;
  let columns: number | undefined;
  let data = new Float32Array(0);
  vectors.forEach((text, row) => {
    const bytes = Buffer.from(text, "base64");
    columns ??= bytes.length / 4;
    if (bytes.length !== 4 * columns || !Number.isInteger(columns) || columns === 0) {
      throw new InputError(`embedding ${row + 1} has ${bytes.length} bytes, the first ${4 * columns}`, {
        hint: "a model's embeddings have one length, with four bytes per number",
      });
    }
    if (row === 0) data = new Float32Array(rows * columns);
    for (let i = 0; i < columns; i++) data[row * columns + i] = bytes.readFloatLE(4 * i);
  });
  return { data, rows, columns: columns ?? 0 };
}
