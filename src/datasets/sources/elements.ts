import { LICENCES, type Source } from "./source.ts";

/** Task 1. */
export const ELEMENT_SOURCES: readonly Source[] = [
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
