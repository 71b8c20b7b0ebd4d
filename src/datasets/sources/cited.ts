import type { CitedSource } from "./source.ts";

/** Publications, programs and experiments behind the benchmark's files. */
export const CITED_SOURCES: readonly CitedSource[] = [
  {
    name: "dart-eval",
    tasks: [1, 2, 3, 4, 5],
    what: "the benchmark's project: the wiki describes its data.h5 files",
    address: "https://www.synapse.org/Synapse:syn59522070",
  },
  {
    name: "degorter-2023",
    tasks: [5],
    what: "caQTLs of African-ancestry lymphoblastoid lines",
    address: "https://doi.org/10.1101/2023.11.04.564839",
  },
  {
    name: "degner-2012",
    tasks: [5],
    what: "dsQTLs of Yoruban lymphoblastoid lines",
    address: "https://doi.org/10.1038/nature10808",
  },
  {
    name: "gm12878-dnase",
    tasks: [4, 5],
    what: "DNase-seq of GM12878, of the ChromBPNet model whose scores are task 5's baseline",
    address: "https://www.encodeproject.org/experiments/ENCSR000EMT/",
  },
  {
    name: "gm12878-atac",
    tasks: [5],
    what: "ATAC-seq of GM12878, of another ChromBPNet model whose scores are columns of the variant tables",
    address: "https://www.encodeproject.org/experiments/ENCSR637XSC/",
  },
  {
    name: "encsr095qnb",
    tasks: [5],
    what: "a third experiment whose ChromBPNet scores are columns of the variant tables",
    address: "https://www.encodeproject.org/experiments/ENCSR095QNB/",
  },
  {
    name: "deeplift",
    tasks: [1],
    what: "origin of the dinucleotide shuffle",
    address: "https://github.com/kundajelab/deeplift",
  },
  {
    name: "chrombpnet",
    tasks: [4, 5],
    what: "GC-matched negatives and the baseline's models",
    address: "https://github.com/kundajelab/chrombpnet",
  },
  {
    name: "enformer",
    tasks: [4],
    what: "model of the side experiment, with its training, validation and test intervals",
    address: "https://tfhub.dev/deepmind/enformer/1",
  },
];
