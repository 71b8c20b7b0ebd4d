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
