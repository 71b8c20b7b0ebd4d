import { CELL_LINES, type CellLine } from "../../../datasets/cell-lines.ts";
import { ACTIVITY_FOLDER, sourceNamed } from "../../../datasets/sources/catalogue.ts";
import { rowsForCorrelation, rowsPerClass } from "../../../metrics/sample-size.ts";
import {
  type BenchmarkDataset,
  fetchCommand,
  measuredMetric,
  type PaperColumn,
  type TaskBenchmark,
  type TaskSuiteRow,
} from "../benchmark.ts";
import { REPRODUCED } from "../quirks.ts";

/** The export of all cell lines, which needs neither genome nor signal. */
const ACTIVITY_EXPORT = sourceNamed("task-4-data").path;

/** Paths in the data folder of one cell line's tables and signal, by input name. */
export function activityFiles(line: CellLine) {
  return {
    peaks: `${ACTIVITY_FOLDER}/cell_line_expanded_peaks/${line}_peaks.bed`,
    idr: `${ACTIVITY_FOLDER}/cell_line_idr_peaks/${line}.bed`,
    nonpeaks: `${ACTIVITY_FOLDER}/cell_line_expanded_peaks/${line}_nonpeaks.bed`,
    signal: `${ACTIVITY_FOLDER}/bigwigs/${line}_unstranded.bw`,
  };
}

/** The same cell line from data.h5. */
export const exportedActivity = (line: CellLine) => ({ peaks: ACTIVITY_EXPORT, "cell-line": line });

/** Sources of one cell line's tables and signal, by input name. */
export function activitySources(line: CellLine): BenchmarkDataset["inputs"] {
  const name = line.toLowerCase();
  return {
    peaks: [`${name}-dnase-peaks`],
    idr: [`${name}-dnase-idr-peaks`],
    nonpeaks: [`${name}-dnase-non-peaks`],
    signal: [`${name}-dnase-signal`],
  };
}

const byLine = (heading: string, metric: string): readonly PaperColumn[] =>
  CELL_LINES.map((dataset) => ({ heading: `${dataset} ${heading}`, metric, dataset }));

/** Task 4 in the suites, the published values and the paper's Table 5. */
export const ACTIVITY_BENCHMARK: TaskBenchmark = {
  suite: CELL_LINES.map(
    (line): TaskSuiteRow => ({
      inputs: { genome: sourceNamed("hg38").path, ...activityFiles(line), "cell-line": line },
      fallback: exportedActivity(line),
      settings: { probed: {}, "fine-tuned": {}, predicted: {} },
    }),
  ),
  sampleSize: (width) => ({
    sample: { peaks: rowsForCorrelation(width), idr: rowsPerClass(width), nonpeaks: rowsPerClass(width) },
  }),
  commandsFor(path, folder) {
    const fetchExport = fetchCommand("task-4-data", folder);
    if (path === ACTIVITY_EXPORT) {
      return [
        fetchExport,
        `or the tables and signal of each cell line under ${folder}/${ACTIVITY_FOLDER}: dart-eval build chromatin-activity --help`,
      ];
    }
    if (!path.startsWith(`${ACTIVITY_FOLDER}/`)) return undefined;
    return [`${fetchExport}   # has the same rows: Synapse's folder of these files is empty`];
  },
  datasets: CELL_LINES.flatMap((dataset): BenchmarkDataset[] => [
    { dataset, inputs: { ...activitySources(dataset), genome: ["hg38"] } },
    { dataset, inputs: { peaks: ["task-4-data"] }, named: true },
  ]),
  // The authors evaluated ChromBPNets that had been trained before.
  publishedSettings: { ab_initio: "predicted" },
  publishedMetrics: {
    spearman: measuredMetric("spearman-peaks"),
    auroc: measuredMetric("auroc"),
    pearson_peaks: measuredMetric("pearson-peaks"),
    spearman_all: measuredMetric("spearman-peaks-and-non-peaks"),
    pearson_all: measuredMetric("pearson-peaks-and-non-peaks"),
    auprc: measuredMetric("auprc"),
  },
  paperTables: [
    {
      caption: "Task 4, chromatin activity: Spearman ρ over peaks, AUROC of peaks (the paper's Table 5)",
      columns: [...byLine("r", "spearman"), ...byLine("AUROC", "auroc")],
    },
    {
      caption: "Task 4, each cell line by all measures (as in the paper's supplement)",
      lines: { heading: "cell line", datasets: CELL_LINES },
      columns: [
        { heading: "Spearman, peaks", metric: "spearman" },
        { heading: "Pearson, peaks", metric: "pearson_peaks" },
        { heading: "Spearman, all", metric: "spearman_all" },
        { heading: "Pearson, all", metric: "pearson_all" },
        { heading: "AUROC", metric: "auroc" },
        { heading: "AUPRC", metric: "auprc" },
      ],
    },
  ],
  quirks: [
    {
      label: "Q18",
      title: "Spearman correlation without ties",
      where: "Task 4",
      original: "Equal values are ranked in row order, in float32.",
      paper: REPRODUCED,
      corrected: "Average ranks, in float64.",
      effect: "Affects non-peaks, many of which have equal counts.",
    },
    {
      label: "Q36",
      title: "Signal at the ends of a chromosome",
      where: "Task 4",
      original: "The probing loader fails off the chromosome; the end-to-end loader clips and fills with 0.",
      paper: "Clipped and filled with 0.",
      corrected: "Clipped and filled with 0.",
      effect: "Few windows.",
    },
    {
      label: "Q37",
      title: "Enformer windows before the chromosome",
      where: "Task 4, Enformer comparison",
      original: "Windows with a negative start are dropped.",
      paper: "Not reproduced: task 4 evaluates Enformer on the task's own windows.",
      corrected: "Windows beyond an end are padded with N, as for every model with `--context`.",
      effect: "Few windows of a side experiment.",
    },
  ],
};
