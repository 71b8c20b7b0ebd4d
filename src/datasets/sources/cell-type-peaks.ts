import { LICENCES, type Source } from "./source.ts";

const FOLDER = "task_3_peak_classification";

const peaks = (line: string, accession: string): Source => ({
  name: `${line.toLowerCase()}-atac-peaks`,
  tasks: [3],
  what: `ATAC-seq peaks of ${line}`,
  path: `${FOLDER}/input_data/${line}/${accession}.bed`,
  addresses: [
    { kind: "encode", accession },
    { kind: "synapse", id: "syn60581166", name: `${accession}.bed` },
  ],
  licence: LICENCES.encode,
});

/** Task 3. */
export const CELL_TYPE_PEAK_SOURCES: readonly Source[] = [
  peaks("GM12878", "ENCFF748UZH"),
  peaks("HEPG2", "ENCFF439EIO"),
  peaks("IMR90", "ENCFF243NTP"),
  peaks("K562", "ENCFF333TAT"),
  {
    name: "h1esc-atac-peaks",
    tasks: [3],
    what: "ATAC-seq peaks of H1ESC; the original names no accession",
    path: `${FOLDER}/input_data/H1ESC/overlap.optimal_peak.bed`,
    addresses: [{ kind: "synapse", id: "syn60581166", name: "overlap.optimal_peak.bed" }],
    licence: LICENCES.synapse,
  },
  {
    name: "atac-reads",
    tasks: [3],
    what: "aligned reads, three replicates of each cell line, which the reads per peak are counted from",
    path: `${FOLDER}/input_data/merged_counts_matrix.csv`,
    addresses: [],
    notFetched:
      "the original names no accessions of the reads; its labelled peaks are in cell-type-peaks, or a matrix of reads per peak can be given",
    licence: LICENCES.encode,
    becomes: `${FOLDER}/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv, by dart-eval build cell-type-elements`,
  },
  {
    name: "cell-type-peaks",
    tasks: [3],
    what: "peaks that are accessible in one cell line only, with its name: the table that task 3 asks",
    path: `${FOLDER}/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv`,
    addresses: [
      { kind: "synapse", id: "syn61788656", name: "peaks_by_cell_label_unique_dataloader_format.tsv" },
      { kind: "synapse", id: "syn60581042", name: "peaks_by_cell_label_unique_dataloader_format.tsv" },
    ],
    licence: LICENCES.synapse,
    expectedRows: { rows: 216_746, counted: "table" },
  },
  {
    name: "clustering-peaks",
    tasks: [3],
    what: "the 5,000 most significant peaks of each cell line, which are clustered",
    path: `${FOLDER}/processed_inputs/top_5000_deseq_peaks.tsv`,
    addresses: [{ kind: "synapse", id: "syn62161401", name: "top_5000_deseq_peaks.tsv" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 25_000, counted: "table" },
  },
  {
    name: "clustering-rows",
    tasks: [3],
    what: "the row numbers of the same peaks in the table of cell-type-peaks",
    path: `${FOLDER}/processed_inputs/indices_of_new_peaks_in_old_file.tsv`,
    addresses: [{ kind: "synapse", id: "syn60581042", name: "indices_of_new_peaks_in_old_file.tsv" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 25_000, counted: "table" },
  },
  {
    name: "task-3-data",
    tasks: [3],
    what: "the peaks as one-hot arrays with their labels",
    path: `${FOLDER}/data.h5`,
    addresses: [{ kind: "synapse", id: "syn60581042", name: "data.h5" }],
    optional: true,
    licence: LICENCES.synapse,
  },
];
