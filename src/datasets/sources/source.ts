import type { ExpectedFile } from "../../base/digest.ts";

/** Download address of a file. */
export type SourceAddress =
  /** Synapse: a file, or the file of this name anywhere in a folder. */
  | { readonly kind: "synapse"; readonly id: string; readonly name?: string }
  /** ENCODE portal: a file by its accession. The portal states size and MD5. */
  | { readonly kind: "encode"; readonly accession: string }
  /** Any URL; `.gz` files are unpacked. */
  | { readonly kind: "web"; readonly url: string };

/** Number of rows of a file. */
export interface ExpectedRowCount {
  readonly rows: number;
  /** lines: non-blank lines; table: lines below a header; motifs: MOTIF lines of a MEME file. */
  readonly counted: "lines" | "table" | "motifs";
}

/** Input file of the benchmark. */
export interface Source {
  /** Argument of `dart-eval data fetch`, kebab-case. */
  readonly name: string;
  /** Tasks that read it, 1 to 5. */
  readonly tasks: readonly number[];
  /** Description. */
  readonly what: string;
  /** Path in the data folder, by the benchmark's working-directory layout. */
  readonly path: string;
  /** Tried in this order; may be empty. */
  readonly addresses: readonly SourceAddress[];
  /** Reason why it cannot be fetched; present exactly if there is no address. */
  readonly notFetched?: string;
  /** Duplicates other files, so no task needs it; fetched only by name. */
  readonly optional?: true;
  readonly licence: string;
  /** Published size and digest of the uncompressed file. */
  readonly expected?: ExpectedFile;
  readonly expectedRows?: ExpectedRowCount;
  /** Table built from it, and the command that builds it. */
  readonly becomes?: string;
}

/** Publication, program or experiment that the benchmark is based on. */
export interface CitedSource {
  readonly name: string;
  readonly tasks: readonly number[];
  readonly what: string;
  readonly address: string;
}

/** Licences, as the licensors state them. */
export const LICENCES = {
  encode:
    "ENCODE data use policy: free to download, analyse and publish; cite the consortium and the accession",
  synapse: "no licence stated; terms of the Synapse project syn59522070 apply",
  hocomoco: "HOCOMOCO's own terms, hocomoco12.autosome.org/help",
  assembly: "reference assembly of the Genome Reference Consortium, free of restrictions",
} as const;

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
