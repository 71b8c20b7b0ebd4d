import { FormatError, InternalError } from "../base/errors.ts";
import { openFile } from "../base/read-file.ts";
import { keysOf, recordOf, valueAt } from "../base/record.ts";
import { NO_BASE } from "../dna/sequence/encoding.ts";
import type { DataOf } from "../net/arrays/array.ts";
import { widenToFloat32 } from "../net/arrays/float-conversion.ts";
import { type Hdf5Array, type Hdf5File, openHdf5 } from "../net/arrays/hdf5.ts";
import { CELL_LINES, type CellLine } from "./cell-lines.ts";

// The data.h5 files that DART-Eval publishes, one per task: one-hot encoded sequences with their targets.
// Sequences are uint8 [..., bases, 4], channels A, C, G, T; all zeros for an unknown base.

/** Chromosome splits, which are names of groups. */
const SPLITS = ["train", "val", "test"] as const;
type SplitName = (typeof SPLITS)[number];

/** Array of one-hot sequences, read on demand. */
export interface ProcessedSequences {
  /** Entries along the first axis. */
  readonly entries: number;
  /** Sequences in each entry: 1 for [n, bases, 4], 200 for [n, 200, bases, 4]. */
  readonly perEntry: number;
  /** Bases of each sequence. */
  readonly length: number;
  /** Entries per HDF5 chunk, which is decompressed as a whole. */
  readonly entriesPerChunk: number;
  /**
   * Base codes of entries [start, end), concatenated: 0 A, 1 C, 2 G, 3 T, 4 unknown.
   * @throws {FormatError} when a position is not one-hot, or the file is damaged
   */
  codes(start: number, end: number): Uint8Array;
}

/** Sequences of one split, and their row numbers. */
export interface ProcessedSplit<Member extends string> {
  /** The sequences of a row, such as element and control. */
  readonly members: Readonly<Record<Member, ProcessedSequences>>;
  /** Row numbers in the source table. [n] */
  readonly rows: Float64Array;
}

export interface ProcessedPeaks extends ProcessedSplit<"sequence"> {
  /** log(1 + counts), nats. [n] */
  readonly counts: Float64Array;
}

export interface ProcessedVariants extends Omit<ProcessedSplit<"first" | "second">, "rows"> {
  /** `is_causal`, which despite its name is the filter `IsUsed` (quirk Q23). [n] */
  readonly used: Float64Array;
  /** [n] */
  readonly effectSize: Float64Array;
}

/** An open data.h5. Each method reads the file of one task and throws for the others. */
export interface ProcessedData extends AsyncDisposable {
  readonly path: string;
  /** True for Task 3's file: groups train, val and test with labels. */
  readonly hasCellTypes: boolean;
  /** Task 1: `{split}/seqs`, `ctrls`, `idxs`. */
  elements(split: SplitName): ProcessedSplit<"element" | "control">;
  /** Task 2: `raw` [1, 200, …], `positive` and `shuffled` [motifs, 200, …], motifs sorted by name. */
  motifs(): Readonly<Record<"raw" | "positive" | "shuffled", ProcessedSequences>>;
  /** Task 3: `{split}/seqs`, `labels` (index into `CELL_LINES`), `idxs`. */
  cellTypes(split: SplitName): ProcessedSplit<"element"> & { readonly labels: readonly CellLine[] };
  /** Task 4: `{cell line}/{split}/{set}/seqs`, `counts`, `idxs`. */
  activity(line: CellLine, split: SplitName, set: "peaks" | "idr_peaks" | "nonpeaks"): ProcessedPeaks;
  /** Names of Task 5's tables. */
  variantTables(): readonly string[];
  /** Task 5: `{table}/allele_1_seqs`, `allele_2_seqs`, `is_causal`, `effect_size`. */
  variants(table: string): ProcessedVariants;
  /** Closes the file. */
  close(): Promise<void>;
}

/**
 * Opens a data.h5 of DART-Eval without reading arrays. The methods throw a `FormatError` that names a missing
 * array, or one of the wrong shape or type.
 *
 * @throws {FormatError} when the file is not HDF5
 * @throws {InputError} when the file does not exist
 */
export async function openProcessed(path: string): Promise<ProcessedData> {
  const file = await openHdf5(path);
  const split = <Member extends string>(
    at: string,
    names: Readonly<Record<Member, string>>,
  ): ProcessedSplit<Member> => {
    const rows = numbersAt(file, `${at}/idxs`);
    const members = recordOf(keysOf(names), (member) =>
      sequencesAt(file, `${at}/${names[member]}`, rows.length),
    );
    return { members, rows };
  };
  const close = () => file.close();
  return {
    path,
    hasCellTypes: SPLITS.some((name) => file.array(`${name}/labels`) !== undefined),
    elements: (name) => split(name, { element: "seqs", control: "ctrls" }),
    motifs: () => ({
      raw: sequencesAt(file, "raw"),
      positive: sequencesAt(file, "positive"),
      shuffled: sequencesAt(file, "shuffled"),
    }),
    cellTypes(name) {
      const found = split(name, { element: "seqs" });
      const labels = numbersAt(file, `${name}/labels`, found.rows.length);
      return { ...found, labels: Array.from(labels, (label, i) => lineOf(file, `${name}/labels`, label, i)) };
    },
    activity(line, part, set) {
      const at = `${line}/${part}/${set}`;
      const found = split(at, { sequence: "seqs" });
      return { ...found, counts: numbersAt(file, `${at}/counts`, found.rows.length) };
    },
    variantTables: () => file.names("").filter((name) => file.array(`${name}/allele_1_seqs`) !== undefined),
    variants(table) {
      const first = sequencesAt(file, `${table}/allele_1_seqs`);
      return {
        members: { first, second: sequencesAt(file, `${table}/allele_2_seqs`, first.entries) },
        used: numbersAt(file, `${table}/is_causal`, first.entries),
        effectSize: numbersAt(file, `${table}/effect_size`, first.entries),
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function arrayAt(file: Hdf5File, name: string): Hdf5Array {
  const found = file.array(name);
  if (found !== undefined) return found;
  throw new FormatError(
    { file: file.path, tensor: name },
    "there is no such array",
    "is this the data.h5 of this task, and is the download complete?",
  );
}

function numbersAt(file: Hdf5File, name: string, expected?: number): Float64Array {
  const array = arrayAt(file, name);
  if (array.shape.length !== 1 || (expected !== undefined && array.shape[0] !== expected)) {
    throw new FormatError(
      { file: file.path, tensor: name },
      `has the shape [${array.shape.join(", ")}]; expected [${expected ?? "rows"}]`,
    );
  }
  const { dtype, data } = array.read();
  if (dtype === "float16") return Float64Array.from(widenToFloat32(dtype, data));
  return Float64Array.from<number | bigint>(data, Number);
}

function sequencesAt(file: Hdf5File, name: string, expected?: number): ProcessedSequences {
  const array = arrayAt(file, name);
  const { shape, dtype } = array;
  const [entries] = shape;
  const fits = shape.length >= 3 && shape.at(-1) === 4 && (expected === undefined || entries === expected);
  if (!fits || (dtype !== "uint8" && dtype !== "int8")) {
    throw new FormatError(
      { file: file.path, tensor: name },
      `is ${dtype} [${shape.join(", ")}]; expected uint8 [${expected ?? "rows"}, …, bases, 4]`,
    );
  }
  const [length] = shape.slice(-2);
  const perEntry = shape.slice(1, -2).reduce((product, size) => product * size, 1);
  return {
    entries,
    perEntry,
    length,
    entriesPerChunk: array.rowsPerChunk,
    codes(start, end) {
      const { data } = array.read([start, end]);
      return codesOfOneHot(data, (position) => {
        const entry = start + Math.floor(position / (length * perEntry));
        return new FormatError(
          { file: file.path, tensor: name },
          `position ${position % length} of entry ${entry} is not one-hot`,
          "expected at most one 1 among the four channels, and zeros",
        );
      });
    },
  };
}

/** @param makeError  error for a position, 0-based, that is not one-hot */
function codesOfOneHot(data: DataOf, makeError: (position: number) => FormatError): Uint8Array {
  if (!(data instanceof Uint8Array || data instanceof Int8Array)) {
    throw new InternalError("one-hot sequences are not uint8 or int8");
  }
  const codes = new Uint8Array(data.length / 4);
  for (let position = 0; position < codes.length; position++) {
    let code = NO_BASE;
    let ones = 0;
    for (let channel = 0; channel < 4; channel++) {
      const value = data[4 * position + channel];
      if (value === 0) continue;
      code = channel;
      ones += value;
    }
    if (ones > 1) throw makeError(position);
    codes[position] = code;
  }
  return codes;
}

function lineOf(file: Hdf5File, name: string, label: number, entry: number): CellLine {
  const line = CELL_LINES[label];
  if (line !== undefined) return line;
  throw new FormatError(
    { file: file.path, tensor: name },
    `label ${label} of entry ${entry} is not from 0 to ${CELL_LINES.length - 1}`,
    `labels are indices into ${CELL_LINES.join(", ")}`,
  );
}

/** First bytes of an HDF5 file. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46];

/** True if a file is HDF5: a data.h5 and not a table. @throws {InputError} when it cannot be read */
export async function isProcessedFile(path: string): Promise<boolean> {
  await using handle = await openFile(path);
  if (handle.size < SIGNATURE.length) return false;
  const bytes = await handle.read(0, SIGNATURE.length);
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** Sequence of an array that has one per entry. */
export interface ProcessedEntry {
  readonly sequences: ProcessedSequences;
  readonly entry: number;
}

/** Largest number of bases per read; each is 4 bytes in the file. */
const READ_AT_ONCE = 16 * 2 ** 20;

/**
 * Base codes of entries, in the given order. Adjacent entries of an array and entries of one chunk are read
 * together, up to 16 Mi bases at once.
 * @throws {FormatError} as `ProcessedSequences.codes`
 */
export function codesOfEntries(entries: readonly ProcessedEntry[]): readonly Uint8Array[] {
  const codes = new Array<Uint8Array>(entries.length);
  const arrays = new Map(entries.map(({ sequences }, i) => [sequences, i]));
  const order = [...entries.keys()].sort((a, b) => {
    const [x, y] = [entries[a], entries[b]];
    return valueAt(arrays, x.sequences) - valueAt(arrays, y.sequences) || x.entry - y.entry;
  });
  const chunkOf = ({ sequences, entry }: ProcessedEntry) => Math.floor(entry / sequences.entriesPerChunk);
  const together = (next: ProcessedEntry, before: ProcessedEntry, first: ProcessedEntry) =>
    next.sequences === before.sequences &&
    (next.entry - before.entry <= 1 || chunkOf(next) === chunkOf(before)) &&
    (next.entry - first.entry + 1) * next.sequences.length <= READ_AT_ONCE;
  for (let start = 0; start < order.length; ) {
    const { sequences, entry: first } = entries[order[start]];
    let end = start + 1;
    while (
      end < order.length &&
      together(entries[order[end]], entries[order[end - 1]], entries[order[start]])
    ) {
      end++;
    }
    const read = sequences.codes(first, entries[order[end - 1]].entry + 1);
    for (const i of order.slice(start, end)) {
      const at = (entries[i].entry - first) * sequences.length;
      codes[i] = read.slice(at, at + sequences.length);
    }
    start = end;
  }
  return codes;
}
