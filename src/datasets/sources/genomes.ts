import { LICENCES, type Source } from "./source.ts";

/** The two assemblies: hg38 for tasks 1, 3, 4 and the African variants, hg19 for the Yoruban ones. */
export const GENOME_SOURCES: readonly Source[] = [
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
    what: "GRCh37 of a man, as ENCODE mapped to it",
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
