import type { CellLine } from "../../datasets/cell-lines.ts";
import { SOURCES } from "../../datasets/sources/catalogue.ts";
import type { Source } from "../../datasets/sources/source.ts";
import type { Suite } from "./suite.ts";

/** Where the benchmark's files lie in a data folder. */
export const PLACES = {
  hg38: "refs/GRCh38_no_alt_analysis_set_GCA_000001405.15.fasta",
  hg19: "refs/male.hg19.fa",
  elements: "task_1_ccre/processed_inputs/ENCFF420VPZ_processed.tsv",
  footprints: "task_2_footprinting/processed_data/footprint_dataset_350_v1.txt",
  motifFamilies: "task_2_footprinting/input_data/H12CORE_motifs.tsv",
  cellTypePeaks:
    "task_3_peak_classification/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv",
  clusteringRows: "task_3_peak_classification/processed_inputs/indices_of_new_peaks_in_old_file.tsv",
  african: "task_5_variant_effect_prediction/input_data/Afr.CaQTLS.tsv",
  yoruban: "task_5_variant_effect_prediction/input_data/yoruban.dsqtls.benchmarking.tsv",
} as const;

const ACTIVITY = "task_4_chromatin_activity/processed_data";

const ACTIVITY_DATA = "task_4_chromatin_activity/data.h5";

/** Task 4's inputs of one cell line from its data.h5, which needs neither genome nor signal. */
export const exportedActivity = (line: CellLine) => ({ peaks: ACTIVITY_DATA, "cell-line": line });

/** Task 4's files of one cell line, by the names of the task's inputs. */
export function activityPlaces(line: CellLine) {
  return {
    peaks: `${ACTIVITY}/cell_line_expanded_peaks/${line}_peaks.bed`,
    idr: `${ACTIVITY}/cell_line_idr_peaks/${line}.bed`,
    nonpeaks: `${ACTIVITY}/cell_line_expanded_peaks/${line}_nonpeaks.bed`,
    signal: `${ACTIVITY}/bigwigs/${line}_unstranded.bw`,
  };
}

/**
 * The commands that bring a file to its place, in their order; empty where none is known.
 *
 * @param folder  the data folder, as a user types it
 */
export function commandsFor(place: string, folder: string): readonly string[] {
  const toFetch = (name: string) => `dart-eval data fetch ${name} --data ${folder}`;
  if (place === PLACES.elements) {
    const ccres = `${folder}/task_1_ccre/input_data/ENCFF420VPZ.bed`;
    return [
      toFetch("ccres"),
      `dart-eval build regulatory-elements --ccres ${ccres} --out ${folder}/${place}`,
    ];
  }
  if (place === PLACES.footprints) {
    const motifs = `${folder}/task_2_footprinting/input_data/H12CORE_meme_format.meme`;
    return [
      toFetch("motifs"),
      `dart-eval build motif-footprinting --motifs ${motifs} --elements ${folder}/${PLACES.elements} --genome ${folder}/${PLACES.hg38} --out ${folder}/${place}`,
      `or, with a Synapse account: ${toFetch("footprint-sequences")}`,
    ];
  }
  if (place === ACTIVITY_DATA) {
    return [
      toFetch("task-4-data"),
      `or each line's tables and signal under ${folder}/${ACTIVITY}: dart-eval build chromatin-activity --help`,
    ];
  }
  if (place.startsWith(`${ACTIVITY}/`)) {
    return [
      `${toFetch("task-4-data")}   # stands in for it: Synapse's folder of these files was found empty`,
    ];
  }
  const source = SOURCES.find(({ path, addresses }) => path === place && addresses.length > 0);
  return source === undefined ? [] : [toFetch(source.name)];
}

/** Sources that built files are made of. */
const MADE_OF: Readonly<Record<string, string>> = {
  [PLACES.elements]: "ccres",
  [PLACES.footprints]: "motifs",
};

/** The sources of the files that a suite reads, or that those are built from or that stand in for them, in the catalogue's order. */
export function sourcesOfSuite({ rows }: Suite): readonly Source[] {
  const places = new Set(rows.flatMap(({ inputs, fallback = inputs }) => Object.values(fallback)));
  const made = new Set([...places].map((place) => MADE_OF[place]));
  return SOURCES.filter(
    ({ name, path, addresses }) =>
      addresses.length > 0 && (made.has(name) || (places.has(path) && MADE_OF[path] === undefined)),
  );
}
