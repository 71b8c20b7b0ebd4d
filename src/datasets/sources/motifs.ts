import { LICENCES, type Source } from "./source.ts";

/** Task 2. */
export const MOTIF_SOURCES: readonly Source[] = [
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
    what: "the 100 neutral sequences that motifs are put into",
    path: "task_2_footprinting/processed_data/raw_seqs_350.txt",
    addresses: [{ kind: "synapse", id: "syn60581043", name: "raw_seqs_350.txt" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 100, counted: "lines" },
  },
  {
    name: "footprint-sequences",
    tasks: [2],
    what: "the backgrounds with every motif and its shuffle put in, both strands",
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
