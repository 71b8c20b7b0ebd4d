import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { isInsidePath, kindOfPath } from "../../base/folder.ts";
import type { CellLine } from "../../datasets/cell-lines.ts";
import { SOURCES } from "../../datasets/sources/catalogue.ts";
import type { Source } from "../../datasets/sources/source.ts";
import type { InputForm, Task } from "../tasks/task.ts";
import type { Suite, SuiteRow, SuiteSetting } from "./suite.ts";

/** Where the benchmark's files lie in a data folder. */
export const BENCHMARK_FILES = {
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
export function activityFiles(line: CellLine) {
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
  if (place === BENCHMARK_FILES.elements) {
    const ccres = `${folder}/task_1_ccre/input_data/ENCFF420VPZ.bed`;
    return [
      toFetch("ccres"),
      `dart-eval build regulatory-elements --ccres ${ccres} --out ${folder}/${place}`,
    ];
  }
  if (place === BENCHMARK_FILES.footprints) {
    const motifs = `${folder}/task_2_footprinting/input_data/H12CORE_meme_format.meme`;
    return [
      toFetch("motifs"),
      `dart-eval build motif-footprinting --motifs ${motifs} --elements ${folder}/${BENCHMARK_FILES.elements} --genome ${folder}/${BENCHMARK_FILES.hg38} --out ${folder}/${place}`,
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
  [BENCHMARK_FILES.elements]: "ccres",
  [BENCHMARK_FILES.footprints]: "motifs",
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

/** What is there of a row's inputs. */
export interface FoundInputs {
  /** Paths of files, and texts, by the names of the task's form. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Places of needed files that are missing. */
  readonly missing: readonly string[];
  /** Places of optional files that are missing. */
  readonly leftOut: readonly string[];
  /** Places of files that stand in for the row's own, where those are missing. */
  readonly standIns: readonly string[];
}

/** Inputs that genomes are given as: `genome`, `training-genome`. */
export const isGenome = (name: string) => /^(.+-)?genome$/.test(name);

/**
 * Finds the files of a row in the data folder, or those of its fallback where one of its own is missing.
 * @throws {InputError} for an input that the task lacks, or a place outside the folder
 */
export async function findInputs(task: Task, row: SuiteRow, data: string): Promise<FoundInputs> {
  const own = await findPlaces(task, row, row.inputs, data);
  const { fallback } = row;
  if (own.missing.length === 0 || fallback === undefined) return own;
  const found = await findPlaces(task, row, fallback, data);
  const standIns = Object.entries(fallback)
    .filter(([name, place]) => formOf(task, name).kind !== "text" && row.inputs[name] !== place)
    .map(([, place]) => place);
  return { ...found, standIns: found.missing.length === 0 ? standIns : [] };
}

async function findPlaces(
  task: Task,
  { optional = [] }: SuiteRow,
  places: SuiteRow["inputs"],
  data: string,
): Promise<FoundInputs> {
  const inputs: Record<string, string> = {};
  const missing: string[] = [];
  const leftOut: string[] = [];
  for (const [name, given] of Object.entries(places)) {
    if (formOf(task, name).kind === "text") {
      inputs[name] = given;
      continue;
    }
    if (!isInsidePath(given)) {
      throw new InputError(`the suite's ${name} of ${task.name} is ${JSON.stringify(given)}`, {
        hint: "files are named by their place in the data folder, with / and without ..",
      });
    }
    if ((await kindOfPath(join(data, given))) === "file") inputs[name] = join(data, given);
    else (optional.includes(name) ? leftOut : missing).push(given);
  }
  return { inputs, missing, leftOut, standIns: [] };
}

/** Weights of a suite are named by their place in the data folder, as its other files are. */
export function withResolvedWeights({ weights, ...rest }: SuiteSetting, data: string): SuiteSetting {
  if (weights === undefined) return rest;
  if (isInsidePath(weights)) return { ...rest, weights: join(data, weights) };
  throw new InputError(`the suite's weights are ${JSON.stringify(weights)}`, {
    hint: "files are named by their place in the data folder, with / and without ..",
  });
}

function formOf(task: Task, name: string): InputForm {
  const form = task.inputs.find((input) => input.name === name);
  if (form !== undefined) return form;
  throw new InputError(`the task ${task.name} has no input ${JSON.stringify(name)}`, {
    hint: `it has ${task.inputs.map((input) => input.name).join(", ")}`,
  });
}

/** Every missing file under the commands that bring it; a command that brings several is told once. */
export function missingFilesError(places: readonly string[], data: string): InputError {
  const commands = new Map<string, string[]>();
  for (const place of places) {
    const key = commandsFor(place, data).join("\n");
    commands.set(key, [...(commands.get(key) ?? []), place]);
  }
  const fetched = [...commands].flatMap(([key, files]) => [
    ...files.map((file) => `- ${file}`),
    ...(key === ""
      ? ["    no command is known that makes it"]
      : key.split("\n").map((line) => `    ${line}`)),
  ]);
  return new InputError(
    `${places.length === 1 ? "a file is" : `${places.length} files are`} missing in ${data}:\n${fetched.join("\n")}`,
    { hint: "the suite can be cut to what is there with --task and --setting" },
  );
}
