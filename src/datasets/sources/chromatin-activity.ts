import { CELL_LINES, type CellLine } from "../cell-lines.ts";
import { LICENCES, type Source } from "./source.ts";

const FOLDER = "task_4_chromatin_activity/processed_data";

/** Fetched by name alone: the folder of inputs was found empty. The whole task's folder is searched after it. */
function file(line: CellLine, set: string, what: string, path: string): Source {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    name: `${line.toLowerCase()}-${set}`,
    tasks: [4],
    what: `${line}: ${what}`,
    path: `${FOLDER}/${path}`,
    addresses: [
      { kind: "synapse", id: "syn60581050", name },
      { kind: "synapse", id: "syn60581041", name },
    ],
    optional: true,
    licence: LICENCES.synapse,
  };
}

/** Task 4. */
export const CHROMATIN_ACTIVITY_SOURCES: readonly Source[] = [
  {
    name: "task-4-data",
    tasks: [4],
    what: "all windows of the five cell lines as one-hot arrays with their counts: everything that task 4 reads, and what trains for task 5",
    path: "task_4_chromatin_activity/data.h5",
    addresses: [{ kind: "synapse", id: "syn64314104", name: "data.h5" }],
    licence: LICENCES.synapse,
  },
  ...CELL_LINES.flatMap((line) => [
    file(line, "dnase-peaks", "relaxed peaks of DNase-seq", `cell_line_expanded_peaks/${line}_peaks.bed`),
    file(line, "dnase-idr-peaks", "peaks that replicate", `cell_line_idr_peaks/${line}.bed`),
    file(
      line,
      "dnase-non-peaks",
      "windows without a peak, of the same GC content",
      `cell_line_expanded_peaks/${line}_nonpeaks.bed`,
    ),
    file(line, "dnase-signal", "cuts per base, both strands", `bigwigs/${line}_unstranded.bw`),
  ]),
];
