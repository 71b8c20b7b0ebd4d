import { sourceNamed } from "../../../datasets/sources/catalogue.ts";
import { type FindMeasured, fetchCommand, measuredAverage, type TaskBenchmark } from "../benchmark.ts";
import { ELEMENTS_TABLE } from "../regulatory-elements/benchmark.ts";

const FOOTPRINTS = sourceNamed("footprint-sequences").path;

/** Task 2 in the suites, the published values and the tables of the notebooks. */
export const FOOTPRINTS_BENCHMARK: TaskBenchmark = {
  suite: [
    {
      inputs: { footprints: FOOTPRINTS, families: sourceNamed("motif-families").path },
      optional: ["families"],
      settings: { "zero-shot": {}, "zero-shot-embedding": {} },
    },
  ],
  builtFrom: { [FOOTPRINTS]: "motifs" },
  commandsFor(path, folder) {
    if (path !== FOOTPRINTS) return undefined;
    const motifs = `${folder}/${sourceNamed("motifs").path}`;
    const elements = `--elements ${folder}/${ELEMENTS_TABLE} --genome ${folder}/${sourceNamed("hg38").path}`;
    return [
      fetchCommand("motifs", folder),
      `dart-eval build motif-footprinting --motifs ${motifs} ${elements} --out ${folder}/${path}`,
      `or, with a Synapse account: ${fetchCommand("footprint-sequences", folder)}`,
    ];
  },
  datasets: [{ dataset: null, inputs: { footprints: ["footprint-sequences", "motifs", "task-2-data"] } }],
  publishedMetrics: {
    per_motif_accuracy_min: ofMotifs("lowest accuracy of a motif", (all) => Math.min(...all)),
    per_motif_accuracy_q25: measuredAverage("accuracy of a motif, first quartile", "motifAccuracy25"),
    per_motif_accuracy_median: measuredAverage("accuracy of a motif, median", "motifAccuracyMedian"),
    per_motif_accuracy_q75: measuredAverage("accuracy of a motif, third quartile", "motifAccuracy75"),
    per_motif_accuracy_max: ofMotifs("highest accuracy of a motif", (all) => Math.max(...all)),
    "motifs_with_accuracy_above_0.5": ofMotifs(
      "motifs with an accuracy above 0.5",
      (all) => all.filter((accuracy) => accuracy > 0.5).length,
    ),
    "fraction_of_motifs_with_accuracy_above_0.7": ofMotifs(
      "share of motifs with an accuracy above 0.7",
      (all) => all.filter((accuracy) => accuracy > 0.7).length / all.length,
    ),
  },
  paperTables: [
    {
      caption: "Task 2, accuracies of all motifs: their distribution (as the notebooks print it)",
      columns: [
        { heading: "lowest", metric: "per_motif_accuracy_min" },
        { heading: "first quartile", metric: "per_motif_accuracy_q25" },
        { heading: "median", metric: "per_motif_accuracy_median" },
        { heading: "third quartile", metric: "per_motif_accuracy_q75" },
        { heading: "highest", metric: "per_motif_accuracy_max" },
        { heading: "above 0.5", metric: "motifs_with_accuracy_above_0.5" },
      ],
    },
  ],
  quirks: [
    {
      label: "Q25",
      title: "Footprint backgrounds need batches of 1,024",
      where: "Task 2, building the table",
      original: "Backgrounds are row 567 of batches; the extraction script now writes batches of 512.",
      paper: "`build` uses batches of 1,024.",
      corrected: "`build` uses batches of 1,024.",
      effect: "None on the published table.",
    },
  ],
};

/** A summary of the accuracies of all motifs. */
function ofMotifs(title: string, summary: (accuracies: readonly number[]) => number): FindMeasured {
  return ({ breakdowns = [] }) => {
    const motifs = breakdowns.find(({ name }) => name === "motifs");
    const accuracies = motifs?.rows.flatMap(({ values }) => values[0] ?? []) ?? [];
    return accuracies.length === 0 ? undefined : { title, value: summary(accuracies) };
  };
}
