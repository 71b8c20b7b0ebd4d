import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import type { CellResult, StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import type { Prediction } from "../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../src/evaluation/tasks/prediction-columns.ts";
import type { Protocol } from "../../src/models/model.ts";

interface FixtureCell {
  readonly model: string;
  readonly protocol: Protocol;
  /** Mean of element minus control, in nats; the standard deviation is 4. */
  readonly shift: number;
  readonly rows?: number;
}

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Scores of the fixture's rows, by the folder of the cell. */
const predictions = new Map<string, PredictionColumns>();

/** Reads the predictions of a result of `resultsFixture`. */
export const fixturePredictions = async ({ folder }: StoredResult) => predictions.get(folder);

/**
 * Results in the form of a merged run folder, with random scores from a normal distribution.
 */
export async function resultsFixture(cells: readonly FixtureCell[]): Promise<StoredResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-report-"));
  folders.push(folder);
  return cells.map((cell) =>
    storedFixture(join(folder, `${cell.model}-${cell.protocol}`.replace(/\W/g, "_")), cell),
  );
}

function storedFixture(folder: string, cell: FixtureCell): StoredResult {
  const { shift, rows = 1187 } = cell;
  const rng = new Pcg64(rows);
  const differences = Float64Array.from({ length: rows }, () => shift + 4 * normal(rng));
  predictions.set(
    folder,
    PredictionColumns.of(
      Array.from(differences, (difference, row): Prediction => {
        const facts = {
          chrom: `chr${1 + (row % 3)}`,
          start: 1000 * row,
          end: 1000 * row + 350,
          unknown: 0,
          same: 0,
        };
        return { kind: "likelihood", row, values: [-480 + difference, -480], facts };
      }),
    ),
  );
  return {
    folder,
    result: resultFixture(cell, differences.toSorted()),
    timing: [
      {
        shard: { index: 1, count: 1 },
        rows,
        timedRows: rows,
        seconds: 12.4,
        rowsPerSecond: rows / 12.4,
        batchSize: 64,
        device: "cpu",
        peakMemory: 512 * 1024 ** 2,
        toolkit: "0.1.0",
        host: "laptop, 2 cores",
      },
    ],
  };
}

function resultFixture({ model, protocol }: FixtureCell, sorted: Float64Array): CellResult {
  const n = sorted.length;
  const value = sorted.filter((difference) => difference > 0).length / n;
  const half = 1.96 * Math.sqrt((value * (1 - value)) / n);
  const interval = (method: string, width: number, size = n) => ({
    value,
    low: Math.max(0, value - width),
    high: Math.min(1, value + width),
    n: size,
    method,
  });
  const quantile = (share: number) => sorted[Math.floor(share * (n - 1))];
  return {
    format: "dart-eval result",
    formatVersion: 2,
    identity: sha256Hex(`${model} ${protocol}`),
    cell: {
      identityVersion: 1,
      task: "regulatory-elements",
      taskVersion: 1,
      model: { name: model, identity: `${model} ${sha256Hex(model)}` },
      setting: "zero-shot",
      protocol,
      seed: 0,
      split: "test",
      limit: null,
      recipe: { score: "log-likelihood" },
      data: { genome: sha256Hex("genome"), elements: sha256Hex("elements") },
    },
    rows: { inTable: 4 * n, selected: n, digest: sha256Hex("rows") },
    metrics: [
      {
        name: "paired-accuracy",
        title: "paired accuracy",
        better: "higher",
        main: true,
        value,
        intervals:
          protocol === "paper"
            ? [interval("wald", half / 4, 16 * n)]
            : [
                interval("wilson", half),
                interval("wald", half * 1.01),
                interval("genomic-block-jackknife", half * 1.6),
              ],
      },
    ],
    published: {
      acc: value,
      pval: 3.2e-41,
      signed_rank_sum: 503_211,
      mean_diff: sorted.reduce((sum, one) => sum + one, 0) / n,
      median_diff: quantile(0.5),
      q05_diff: quantile(0.05),
      q25_diff: quantile(0.25),
      q75_diff: quantile(0.75),
      q95_diff: quantile(0.95),
    },
    counts: { rows: n, ties: 3 },
    averages: { "tokens-per-sequence": 351 },
    quirks: [
      {
        label: "Q14",
        description:
          "Interval of the paired accuracy. Original: twice the rows of the whole table as the number of trials. Corrected: the evaluated pairs.",
        effect: { paper: interval("wald", half / 4, 16 * n), corrected: interval("wilson", half) },
      },
      {
        label: "Q15",
        description: "The original counts a tie as a loss; here it counts one half.",
        effect: { paper: value, corrected: value + 1.5 / n },
      },
    ],
    notes: [],
  };
}
