import { LICENCES, type Source } from "./source.ts";

/** The two sets of task 5, as results call them. */
export const AFRICAN = "African caQTLs";
export const YORUBAN = "Yoruban dsQTLs";

const FOLDER = "task_5_variant_effect_prediction";

/** Task 5. */
export const VARIANT_SOURCES: readonly Source[] = [
  {
    name: "african-caqtls",
    tasks: [5],
    what: "variants that change chromatin accessibility in African lymphoblastoid lines, on hg38 (DeGorter et al. 2023)",
    path: `${FOLDER}/input_data/Afr.CaQTLS.tsv`,
    addresses: [{ kind: "synapse", id: "syn60756043", name: "Afr.CaQTLS.tsv" }],
    licence: LICENCES.synapse,
    expectedRows: { rows: 219_382, counted: "table" },
  },
  {
    name: "yoruban-dsqtls",
    tasks: [5],
    what: "variants that change DNase sensitivity in Yoruban lymphoblastoid lines, on hg19 (Degner et al. 2012)",
    path: `${FOLDER}/input_data/yoruban.dsqtls.benchmarking.tsv`,
    addresses: [{ kind: "synapse", id: "syn60756039", name: "yoruban.dsqtls.benchmarking.tsv" }],
    licence: LICENCES.synapse,
  },
  {
    name: "task-5-data",
    tasks: [5],
    what: "both sets as one-hot arrays; its is_causal column is the filter, not the label (quirk Q23)",
    path: `${FOLDER}/data.h5`,
    addresses: [{ kind: "synapse", id: "syn60581045", name: "data.h5" }],
    optional: true,
    licence: LICENCES.synapse,
  },
];
