import type { ExpectedFile } from "../../base/digest.ts";

/** Where a file can be had. */
export type SourceAddress =
  /** A file of the Synapse repository, or one of this name in a folder of it, however deep. */
  | { readonly kind: "synapse"; readonly id: string; readonly name?: string }
  /** A file of the ENCODE portal by its accession; the portal tells size and MD5. */
  | { readonly kind: "encode"; readonly accession: string }
  /** Any other address; a `.gz` is unpacked on arrival. */
  | { readonly kind: "web"; readonly url: string };

/** How many rows a file has, to be counted after it arrived. */
export interface ExpectedRowCount {
  readonly rows: number;
  /** lines: every line that is not blank; table: lines below a header; motifs: MOTIF lines of a MEME file. */
  readonly counted: "lines" | "table" | "motifs";
}

/** One file that the benchmark is made of. */
export interface Source {
  /** Kebab-case, stable: what `dart-eval data fetch` is given. */
  readonly name: string;
  /** Tasks that read it, 1 to 5. */
  readonly tasks: readonly number[];
  readonly what: string;
  /** Its place in the data folder: the work-directory layout of the benchmark. */
  readonly path: string;
  /** Tried in this order; empty where there is none. */
  readonly addresses: readonly SourceAddress[];
  /** Why it cannot be fetched, one sentence; present exactly when there is no address. */
  readonly notFetched?: string;
  /** Not needed by any task, since other files say the same; fetched only when it is named. */
  readonly optional?: true;
  readonly licence: string;
  /** What the unpacked file must be, where that was published. */
  readonly expected?: ExpectedFile;
  readonly expectedRows?: ExpectedRowCount;
  /** What it becomes: the table that is made of it, and the command. */
  readonly becomes?: string;
}

/** Something that the benchmark rests on and that is no file to fetch: a publication, a program, an experiment. */
export interface CitedSource {
  readonly name: string;
  readonly tasks: readonly number[];
  readonly what: string;
  readonly address: string;
}

/** Licences, as their givers word them. */
export const LICENCES = {
  encode:
    "ENCODE data use policy: free to download, analyse and publish; cite the consortium and the accession",
  synapse: "no licence is stated; the terms of the Synapse project syn59522070 hold",
  hocomoco: "HOCOMOCO's own terms, hocomoco12.autosome.org/help",
  assembly: "reference assembly of the Genome Reference Consortium, free of restrictions",
} as const;
