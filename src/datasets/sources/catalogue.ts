import { InputError } from "../../base/errors.ts";
import { CELL_LINES, type CellLine } from "../cell-lines.ts";
import { LICENCES, type Source } from "./source.ts";

/** Assemblies: hg38 for tasks 1, 3, 4 and the African variants, hg19 for the Yoruban variants. */
const GENOME_SOURCES: readonly Source[] = [
  {
    name: "hg38",
    tasks: [1, 3, 4, 5],
    what: "GRCh38 without alternative contigs, as ENCODE maps to it",
    path: "refs/GRCh38_no_alt_analysis_set_GCA_000001405.15.fasta",
    addresses: [
      {
        kind: "web",
        url: "https://www.encodeproject.org/files/GRCh38_no_alt_analysis_set_GCA_000001405.15/@@download/GRCh38_no_alt_analysis_set_GCA_000001405.15.fasta.gz",
      },
      { kind: "synapse", id: "syn60581044", name: "GRCh38_no_alt_analysis_set_GCA_000001405.15.fasta" },
    ],
    licence: LICENCES.assembly,
  },
  {
    name: "hg19",
    tasks: [5],
    what: "GRCh37 with Y chromosome, as ENCODE mapped to it",
    path: "refs/male.hg19.fa",
    addresses: [
      {
        kind: "web",
        url: "https://www.encodeproject.org/files/male.hg19/@@download/male.hg19.fasta.gz",
      },
      { kind: "synapse", id: "syn60581044", name: "male.hg19.fa" },
    ],
    licence: LICENCES.assembly,
  },
];

/** Files of Task 1. */
const ELEMENT_SOURCES: readonly Source[] = [
  {
    name: "ccres",
    tasks: [1],
    what: "ENCODE's registry of candidate cis-regulatory elements of the human genome, version 3",
    path: "task_1_ccre/input_data/ENCFF420VPZ.bed",
    addresses: [
      { kind: "encode", accession: "ENCFF420VPZ" },
      { kind: "synapse", id: "syn62153306" },
    ],
    licence: LICENCES.encode,
    expectedRows: { rows: 2_348_854, counted: "lines" },
    becomes: "task_1_ccre/processed_inputs/ENCFF420VPZ_processed.tsv, by dart-eval build regulatory-elements",
  },
  {
    name: "task-1-data",
    tasks: [1],
    what: "the pairs as one-hot arrays, all chromosomes",
    path: "task_1_ccre/data.h5",
    addresses: [{ kind: "synapse", id: "syn60581046", name: "data.h5" }],
    optional: true,
    licence: LICENCES.synapse,
  },
];

/** Files of Task 2. */
const MOTIF_SOURCES: readonly Source[] = [
  {
    name: "motifs",
    tasks: [2, 3],
    what: "HOCOMOCO v12 CORE: 1,443 motifs of transcription factors",
    path: "task_2_footprinting/input_data/H12CORE_meme_format.meme",
    addresses: [
      {
        kind: "web",
        url: "https://hocomoco12.autosome.org/final_bundle/hocomoco12/H12CORE/formatted_motifs/H12CORE_meme_format.meme",
      },
      { kind: "synapse", id: "syn60756095" },
    ],
    licence: LICENCES.hocomoco,
    expected: {
      bytes: 1_619_601,
      sha256: "3d9c47dc396b3ba4e278cdfd29d526c1eb2fbad4895b5e2dc345f535f98c5f12",
    },
    expectedRows: { rows: 1443, counted: "motifs" },
    becomes:
      "task_2_footprinting/processed_data/footprint_dataset_350_v1.txt, by dart-eval build motif-footprinting",
  },
  {
    name: "motif-families",
    tasks: [2],
    what: "HOCOMOCO's annotation of the same motifs: quality, family, protein",
    path: "task_2_footprinting/input_data/H12CORE_motifs.tsv",
    addresses: [{ kind: "synapse", id: "syn60581043", name: "H12CORE_motifs.tsv" }],
    licence: LICENCES.hocomoco,
    expectedRows: { rows: 1443, counted: "table" },
  },
  {
    name: "footprint-backgrounds",
    tasks: [2],
    what: "the 100 neutral background sequences",
    path: "task_2_footprinting/processed_data/raw_seqs_350.txt",
    addresses: [{ kind: "synapse", id: "syn60581043", name: "raw_seqs_350.txt" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 100, counted: "lines" },
  },
  {
    name: "footprint-sequences",
    tasks: [2],
    what: "the backgrounds with every motif and its shuffle inserted, both strands",
    path: "task_2_footprinting/processed_data/footprint_dataset_350_v1.txt",
    addresses: [{ kind: "synapse", id: "syn60581043", name: "footprint_dataset_350_v1.txt" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 577_400, counted: "lines" },
  },
  {
    name: "task-2-data",
    tasks: [2],
    what: "the same sequences as one-hot arrays",
    path: "task_2_footprinting/data.h5",
    addresses: [{ kind: "synapse", id: "syn60581043", name: "data.h5" }],
    optional: true,
    licence: LICENCES.synapse,
  },
];

const CELL_TYPE_FOLDER = "task_3_peak_classification";

const atacPeaks = (line: string, accession: string): Source => ({
  name: `${line.toLowerCase()}-atac-peaks`,
  tasks: [3],
  what: `ATAC-seq peaks of ${line}`,
  path: `${CELL_TYPE_FOLDER}/input_data/${line}/${accession}.bed`,
  addresses: [
    { kind: "encode", accession },
    { kind: "synapse", id: "syn60581166", name: `${accession}.bed` },
  ],
  licence: LICENCES.encode,
});

/** Files of Task 3. */
const CELL_TYPE_PEAK_SOURCES: readonly Source[] = [
  atacPeaks("GM12878", "ENCFF748UZH"),
  atacPeaks("HEPG2", "ENCFF439EIO"),
  atacPeaks("IMR90", "ENCFF243NTP"),
  atacPeaks("K562", "ENCFF333TAT"),
  {
    name: "h1esc-atac-peaks",
    tasks: [3],
    what: "ATAC-seq peaks of H1ESC; the original gives no accession",
    path: `${CELL_TYPE_FOLDER}/input_data/H1ESC/overlap.optimal_peak.bed`,
    addresses: [{ kind: "synapse", id: "syn60581166", name: "overlap.optimal_peak.bed" }],
    licence: LICENCES.synapse,
  },
  {
    name: "atac-reads",
    tasks: [3],
    what: "aligned reads, three replicates per cell line, for the counts of reads per peak",
    path: `${CELL_TYPE_FOLDER}/input_data/merged_counts_matrix.csv`,
    addresses: [],
    notFetched:
      "the original gives no accessions of the reads; use its labelled peaks (cell-type-peaks) or your own matrix of reads per peak",
    licence: LICENCES.encode,
    becomes: `${CELL_TYPE_FOLDER}/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv, by dart-eval build cell-type-elements`,
  },
  {
    name: "cell-type-peaks",
    tasks: [3],
    what: "peaks accessible in one cell line only, labelled with it: task 3's table",
    path: `${CELL_TYPE_FOLDER}/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv`,
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
    what: "the 5,000 most significant peaks of each cell line, for clustering",
    path: `${CELL_TYPE_FOLDER}/processed_inputs/top_5000_deseq_peaks.tsv`,
    addresses: [{ kind: "synapse", id: "syn62161401", name: "top_5000_deseq_peaks.tsv" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 25_000, counted: "table" },
  },
  {
    name: "clustering-rows",
    tasks: [3],
    what: "row numbers of the same peaks in cell-type-peaks",
    path: `${CELL_TYPE_FOLDER}/processed_inputs/indices_of_new_peaks_in_old_file.tsv`,
    addresses: [{ kind: "synapse", id: "syn60581042", name: "indices_of_new_peaks_in_old_file.tsv" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 25_000, counted: "table" },
  },
  {
    name: "task-3-data",
    tasks: [3],
    what: "the peaks as one-hot arrays with their labels",
    path: `${CELL_TYPE_FOLDER}/data.h5`,
    addresses: [{ kind: "synapse", id: "syn60581042", name: "data.h5" }],
    optional: true,
    licence: LICENCES.synapse,
  },
];

/** Folder of the tables and signals of Task 4 in the data folder. */
export const ACTIVITY_FOLDER = "task_4_chromatin_activity/processed_data";

/**
 * Optional, since Synapse's folder of inputs was empty when last seen. If the first folder lacks it, the
 * task's folder is searched.
 */
function activityFile(line: CellLine, set: string, what: string, path: string): Source {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    name: `${line.toLowerCase()}-${set}`,
    tasks: [4],
    what: `${line}: ${what}`,
    path: `${ACTIVITY_FOLDER}/${path}`,
    addresses: [
      { kind: "synapse", id: "syn60581050", name },
      { kind: "synapse", id: "syn60581041", name },
    ],
    optional: true,
    licence: LICENCES.synapse,
  };
}

/** Files of Task 4. */
const CHROMATIN_ACTIVITY_SOURCES: readonly Source[] = [
  {
    name: "task-4-data",
    tasks: [4],
    what: "all windows of the five cell lines as one-hot arrays with their counts: data of task 4 and training data of task 5",
    path: "task_4_chromatin_activity/data.h5",
    addresses: [{ kind: "synapse", id: "syn64314104", name: "data.h5" }],
    licence: LICENCES.synapse,
  },
  ...CELL_LINES.flatMap((line) => [
    activityFile(
      line,
      "dnase-peaks",
      "relaxed peaks of DNase-seq",
      `cell_line_expanded_peaks/${line}_peaks.bed`,
    ),
    activityFile(line, "dnase-idr-peaks", "reproducible peaks (IDR)", `cell_line_idr_peaks/${line}.bed`),
    activityFile(
      line,
      "dnase-non-peaks",
      "GC-matched windows without a peak",
      `cell_line_expanded_peaks/${line}_nonpeaks.bed`,
    ),
    activityFile(line, "dnase-signal", "cuts per base of both strands", `bigwigs/${line}_unstranded.bw`),
  ]),
];

/** Names of Task 5's data sets in results. */
export const AFRICAN_CAQTLS = "African caQTLs";
export const YORUBAN_DSQTLS = "Yoruban dsQTLs";

const VARIANT_FOLDER = "task_5_variant_effect_prediction";

/** Files of Task 5. */
const VARIANT_SOURCES: readonly Source[] = [
  {
    name: "african-caqtls",
    tasks: [5],
    what: "variants that change chromatin accessibility in African lymphoblastoid lines, on hg38 (DeGorter et al. 2023)",
    path: `${VARIANT_FOLDER}/input_data/Afr.CaQTLS.tsv`,
    addresses: [{ kind: "synapse", id: "syn60756043", name: "Afr.CaQTLS.tsv" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 219_382, counted: "table" },
  },
  {
    name: "yoruban-dsqtls",
    tasks: [5],
    what: "variants that change DNase sensitivity in Yoruban lymphoblastoid lines, on hg19 (Degner et al. 2012)",
    path: `${VARIANT_FOLDER}/input_data/yoruban.dsqtls.benchmarking.tsv`,
    addresses: [{ kind: "synapse", id: "syn60756039", name: "yoruban.dsqtls.benchmarking.tsv" }],
    licence: LICENCES.synapse,
  },
  {
    name: "task-5-data",
    tasks: [5],
    what: "both sets as one-hot arrays; its is_causal column is the filter, not the label (quirk Q23)",
    path: `${VARIANT_FOLDER}/data.h5`,
    addresses: [{ kind: "synapse", id: "syn60581045", name: "data.h5" }],
    optional: true,
    licence: LICENCES.synapse,
  },
];

/** All input files of the benchmark, genomes first, then by task. */
export const SOURCES: readonly Source[] = [
  ...GENOME_SOURCES,
  ...ELEMENT_SOURCES,
  ...MOTIF_SOURCES,
  ...CELL_TYPE_PEAK_SOURCES,
  ...CHROMATIN_ACTIVITY_SOURCES,
  ...VARIANT_SOURCES,
];

/** Source by name. @throws {InputError} with similar names if there is no such source */
export function sourceNamed(name: string): Source {
  const found = SOURCES.find((source) => source.name === name);
  if (found !== undefined) return found;
  const similar = SOURCES.filter((source) => name.split("-").some((word) => source.name.includes(word)));
  throw new InputError(`there is no source ${JSON.stringify(name)}`, {
    hint:
      similar.length === 0
        ? "dart-eval data list shows all sources"
        : `similar names: ${similar.map((source) => source.name).join(", ")}`,
  });
}
