import type { StoredResult } from "../evaluation/runs/result.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import { metricCell } from "../report/estimates.ts";
import { cellText, type Table } from "../report/table.ts";
import { SITE_NETWORK } from "./site-network.ts";

/** Something that was planted in the genome, and what an answer must say if it found it. */
export interface PlantedSignal {
  readonly says: string;
  readonly task: string;
  readonly setting: string;
  /** As results call it. */
  readonly model: string;
  readonly dataset?: string;
  /** By its name; the task's main one where it is absent. */
  readonly metric?: string;
  /** The whole interval lies above this. */
  readonly above?: number;
  /** The value is exactly this. */
  readonly is?: number;
}

export interface CheckedSignal {
  readonly truth: PlantedSignal;
  /** Undefined where nobody was asked. */
  readonly found: Metric | undefined;
  readonly holds: boolean;
}

const elements = { task: "regulatory-elements", setting: "zero-shot" };
const motifs = { task: "motif-footprinting" };
const variants = { task: "variant-effects", dataset: "african-caqtls", setting: "zero-shot" };
const sites = { setting: "ab-initio", model: SITE_NETWORK };
const predicted = { setting: "predicted", model: "chrombpnet-toy" };

/** What the demo's questions must bring to light; of those that were asked. */
export const PLANTED_SIGNALS: readonly PlantedSignal[] = [
  {
    ...{ ...elements, model: "kmer-markov-1", is: 0.5 },
    says: "a shuffle keeps all pairs of neighbours",
  },
  { ...{ ...elements, model: "kmer-markov-5", above: 0.5 }, says: "words of six letters show sites in part" },
  ...["hyenadna-toy", "mistral-dna-toy"].map((model) => ({
    ...{ ...elements, model, above: 0.5 },
    says: "elements hold the sites it was trained on",
  })),
  {
    ...{ ...elements, setting: "probed", model: "hyenadna-toy", metric: "auroc", above: 0.5 },
    says: "its states tell sites from shuffled ones",
  },
  ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
    ...{ ...motifs, setting: "zero-shot", model, above: 0.5 },
    says: "motifs are sites, shuffled ones are none",
  })),
  {
    ...{ ...motifs, setting: "zero-shot-embedding", model: "hyenadna-toy", above: 0.5 },
    says: "a site moves its states farther than other letters do",
  },
  {
    ...{ task: "cell-type-elements", setting: "zero-shot-embedding", model: "hyenadna-toy", above: 0 },
    says: "each cell line has sites of its own",
  },
  {
    ...{
      task: "cell-type-elements",
      setting: "probed",
      model: "hyenadna-toy",
      metric: "macro-auroc",
      above: 0.5,
    },
    says: "each cell line has sites of its own",
  },
  ...[
    { metric: "spearman-peaks", above: 0.5 },
    { metric: "auroc", above: 0.9 },
  ].map((expected) => ({
    ...{ ...sites, task: "chromatin-activity", dataset: "GM12878", ...expected },
    says: "reads tell how much each site opens chromatin",
  })),
  {
    ...{ ...predicted, task: "chromatin-activity", dataset: "GM12878", metric: "auroc", above: 0.8 },
    says: "reads of another genome told which sites open chromatin",
  },
  ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
    ...{ ...variants, model, above: 0.5 },
    says: "variants that matter break or make a site",
  })),
  ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
    ...{ ...variants, model, metric: "pearson", above: 0 },
    says: "making a site opens chromatin, breaking one closes it",
  })),
  {
    ...{ ...variants, ...sites, metric: "pearson", above: 0.8 },
    says: "sites of reads open chromatin as those of alleles do",
  },
  ...[{ above: 0.6 }, { metric: "pearson", above: 0.5 }].map((expected) => ({
    ...{ ...variants, ...predicted, ...expected },
    says: "its reads change with a site as those of alleles do",
  })),
];

/** Corrected results against what was planted. */
export function checkPlantedSignals(
  results: readonly StoredResult[],
  truths: readonly PlantedSignal[] = PLANTED_SIGNALS,
): CheckedSignal[] {
  return truths.flatMap((truth) => {
    const result = results.find(
      ({ result: { cell } }) =>
        cell.protocol === "corrected" &&
        cell.task === truth.task &&
        cell.setting === truth.setting &&
        cell.model.name === truth.model &&
        cell.dataset === truth.dataset,
    )?.result;
    if (result === undefined) return [];
    const found = result.metrics.find(({ name, main }) =>
      truth.metric === undefined ? main : name === truth.metric,
    );
    return [{ truth, found, holds: found !== undefined && holds(truth, found) }];
  });
}

function holds({ above, is }: PlantedSignal, { value, intervals: [interval] }: Metric): boolean {
  if (is !== undefined) return value === is;
  return above !== undefined && interval !== undefined && interval.low > above;
}

/** One line per truth: what was planted, what was found, and whether it suffices. */
export function plantedSignalsTable(checked: readonly CheckedSignal[]): Table {
  return {
    caption: "What was planted, and whether it was found",
    columns: [
      { heading: "task, setting", align: "left" },
      { heading: "model", align: "left" },
      { heading: "measure", align: "left" },
      { heading: "found", align: "right" },
      { heading: "expected", align: "left" },
      { heading: "", align: "left" },
      { heading: "because", align: "left" },
    ],
    rows: checked.map(({ truth, found, holds: good }) => [
      [truth.task, ...(truth.dataset === undefined ? [] : [truth.dataset]), truth.setting].join(", "),
      truth.model,
      found?.name ?? truth.metric ?? "–",
      found === undefined ? "–" : cellText(metricCell(found)),
      truth.is === undefined ? `> ${truth.above}` : `= ${truth.is}`,
      good ? "found" : "NOT FOUND",
      truth.says,
    ]),
    notes: ["Each expectation is of the whole interval of 95 %, or of the value where it says =."],
  };
}
