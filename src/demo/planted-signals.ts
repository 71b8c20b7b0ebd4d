import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import { metricCell } from "../report/estimates.ts";
import { cellText, type Table } from "../report/table.ts";
import { SITE_NETWORK } from "./site-network.ts";

/** Expected result that follows from the signals planted in the synthetic genome. */
export interface PlantedSignal {
  /** Reason for the expectation. */
  readonly reason: string;
  readonly task: string;
  readonly setting: string;
  /** Name of the model in results. */
  readonly model: string;
  readonly dataset?: string;
  /** Name of the metric; default: the task's main metric. */
  readonly metric?: string;
  /** The whole 95 % interval must be above this. */
  readonly above?: number;
  /** The value must equal this. */
  readonly equals?: number;
}

/** Planted signal with its measured metric. */
export interface CheckedSignal {
  readonly signal: PlantedSignal;
  /** Undefined if the result does not have the metric. */
  readonly metric: Metric | undefined;
  readonly recovered: boolean;
}

const elements = { task: "regulatory-elements", setting: "zero-shot" };
const motifs = { task: "motif-footprinting" };
const variants = { task: "variant-effects", dataset: "african-caqtls", setting: "zero-shot" };
const sites = { setting: "ab-initio", model: SITE_NETWORK };
const predicted = { setting: "predicted", model: "chrombpnet-toy" };

/** Signals that the demo must recover. */
export const PLANTED_SIGNALS: readonly PlantedSignal[] = [
  {
    ...elements,
    model: "kmer-markov-1",
    equals: 0.5,
    reason: "the shuffle preserves dinucleotide counts",
  },
  { ...elements, model: "kmer-markov-5", above: 0.5, reason: "6-mers capture parts of sites" },
  ...["hyenadna-toy", "mistral-dna-toy"].map((model) => ({
    ...elements,
    model,
    above: 0.5,
    reason: "elements contain the sites of its training data",
  })),
  {
    ...elements,
    setting: "probed",
    model: "hyenadna-toy",
    metric: "auroc",
    above: 0.5,
    reason: "its embeddings distinguish sites from shuffled ones",
  },
  ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
    ...motifs,
    setting: "zero-shot",
    model,
    above: 0.5,
    reason: "motifs are sites, their shuffles are not",
  })),
  {
    ...motifs,
    setting: "zero-shot-embedding",
    model: "hyenadna-toy",
    above: 0.5,
    reason: "a site changes its embeddings more than its shuffle does",
  },
  {
    task: "cell-type-elements",
    setting: "zero-shot-embedding",
    model: "hyenadna-toy",
    above: 0,
    reason: "each cell line has specific sites",
  },
  {
    task: "cell-type-elements",
    setting: "probed",
    model: "hyenadna-toy",
    metric: "macro-auroc",
    above: 0.5,
    reason: "each cell line has specific sites",
  },
  ...[
    { metric: "spearman-peaks", above: 0.5 },
    { metric: "auroc", above: 0.9 },
  ].map((expected) => ({
    ...sites,
    task: "chromatin-activity",
    dataset: "GM12878",
    ...expected,
    reason: "reads show how much each site opens chromatin",
  })),
  {
    ...predicted,
    task: "chromatin-activity",
    dataset: "GM12878",
    metric: "auroc",
    above: 0.8,
    reason: "it learned from another genome which sites open chromatin",
  },
  ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
    ...variants,
    model,
    above: 0.5,
    reason: "QTLs break or create a site",
  })),
  ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
    ...variants,
    model,
    metric: "pearson",
    above: 0,
    reason: "creating a site opens chromatin, breaking one closes it",
  })),
  {
    ...variants,
    ...sites,
    metric: "pearson",
    above: 0.8,
    reason: "site effects learned from reads apply to alleles",
  },
  ...[{ above: 0.6 }, { metric: "pearson", above: 0.5 }].map((expected) => ({
    ...variants,
    ...predicted,
    ...expected,
    reason: "its predicted reads change with a site's alleles",
  })),
];

/** Checks corrected results against the planted signals. Signals without a result are omitted. */
export function checkPlantedSignals(
  results: readonly StoredResult[],
  signals: readonly PlantedSignal[] = PLANTED_SIGNALS,
): CheckedSignal[] {
  return signals.flatMap((signal) => {
    const result = results.find(
      ({ result: { cell } }) =>
        cell.protocol === "corrected" &&
        cell.task === signal.task &&
        cell.setting === signal.setting &&
        cell.model.name === signal.model &&
        cell.dataset === signal.dataset,
    )?.result;
    if (result === undefined) return [];
    const metric = result.metrics.find(({ name, main }) =>
      signal.metric === undefined ? main : name === signal.metric,
    );
    return [{ signal, metric, recovered: metric !== undefined && isRecovered(signal, metric) }];
  });
}

function isRecovered({ above, equals }: PlantedSignal, { value, intervals: [interval] }: Metric): boolean {
  if (equals !== undefined) return value === equals;
  return above !== undefined && interval !== undefined && interval.low > above;
}

/** Table of planted signals: expected and measured values, one line each. */
export function plantedSignalsTable(checked: readonly CheckedSignal[]): Table {
  return {
    caption: "Planted signals",
    columns: [
      { heading: "task, setting", align: "left" },
      { heading: "model", align: "left" },
      { heading: "metric", align: "left" },
      { heading: "measured", align: "right" },
      { heading: "expected", align: "left" },
      { heading: "", align: "left" },
      { heading: "reason", align: "left" },
    ],
    rows: checked.map(({ signal, metric, recovered }) => [
      [signal.task, ...(signal.dataset === undefined ? [] : [signal.dataset]), signal.setting].join(", "),
      signal.model,
      metric?.name ?? signal.metric ?? "–",
      metric === undefined ? "–" : cellText(metricCell(metric)),
      signal.equals === undefined ? `> ${signal.above}` : `= ${signal.equals}`,
      recovered ? "recovered" : "NOT RECOVERED",
      signal.reason,
    ]),
    notes: ["The whole 95 % interval must meet an expectation with >, the value one with =."],
  };
}
