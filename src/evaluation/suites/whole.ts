import { CELL_LINES } from "../../datasets/cell-lines.ts";
import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../../datasets/sources/catalogue.ts";
import { activityFiles, BENCHMARK_FILES, exportedActivity } from "./inputs.ts";
import type { Suite, SuiteRow } from "./suite.ts";

/** Models that the benchmark's paper leaves out where it compares the likelihoods of two alleles. */
const BYTE_PAIRS = {
  tokens: "bpe",
  because:
    "one base can change how byte pairs cut the whole window, so the benchmark's paper leaves such models out; --task variant-effects --setting zero-shot evaluates them",
} as const;

/** One study, twice: what needs no training, and what task 4 trained on GM12878. */
const variants = (dataset: string, table: string, genome: string): readonly SuiteRow[] => [
  {
    task: "variant-effects",
    inputs: { variants: table, genome, dataset, "cell-line": "GM12878" },
    settings: { "zero-shot": { except: BYTE_PAIRS }, "zero-shot-embedding": {}, predicted: {} },
  },
  {
    task: "variant-effects",
    inputs: {
      variants: table,
      genome,
      dataset,
      ...activityFiles("GM12878"),
      "cell-line": "GM12878",
      ...(genome === BENCHMARK_FILES.hg38 ? {} : { "training-genome": BENCHMARK_FILES.hg38 }),
    },
    fallback: { variants: table, genome, dataset, ...exportedActivity("GM12878") },
    settings: { probed: {}, "fine-tuned": {} },
  },
];

/** All five tasks as the benchmark's paper asks them, every row. */
export const WHOLE_SUITE: Suite = {
  name: "dart-eval",
  title: "DART-Eval: five tasks, every row",
  rows: [
    {
      task: "regulatory-elements",
      inputs: { elements: BENCHMARK_FILES.elements, genome: BENCHMARK_FILES.hg38 },
      settings: { "zero-shot": {}, probed: {}, "fine-tuned": {}, "ab-initio": {} },
    },
    {
      task: "motif-footprinting",
      inputs: { footprints: BENCHMARK_FILES.footprints, families: BENCHMARK_FILES.motifFamilies },
      optional: ["families"],
      settings: { "zero-shot": {}, "zero-shot-embedding": {} },
    },
    {
      task: "cell-type-elements",
      inputs: {
        elements: BENCHMARK_FILES.cellTypePeaks,
        genome: BENCHMARK_FILES.hg38,
        subset: BENCHMARK_FILES.clusteringRows,
      },
      settings: { "zero-shot-embedding": {}, probed: {}, "fine-tuned": {}, "ab-initio": {} },
    },
    ...CELL_LINES.map(
      (line): SuiteRow => ({
        task: "chromatin-activity",
        inputs: { genome: BENCHMARK_FILES.hg38, ...activityFiles(line), "cell-line": line },
        fallback: exportedActivity(line),
        settings: { probed: {}, "fine-tuned": {}, predicted: {} },
      }),
    ),
    ...variants(AFRICAN_CAQTLS, BENCHMARK_FILES.african, BENCHMARK_FILES.hg38),
    ...variants(YORUBAN_DSQTLS, BENCHMARK_FILES.yoruban, BENCHMARK_FILES.hg19),
  ],
};
