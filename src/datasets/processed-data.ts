import { FormatError } from "../base/errors.ts";
import { openFile } from "../base/read-file.ts";
import { NO_BASE } from "../dna/sequence/encoding.ts";
import { widenToFloat32 } from "../net/arrays/float-conversion.ts";
import { type Hdf5Array, type Hdf5File, openHdf5 } from "../net/arrays/hdf5.ts";
import { CELL_LINES, type CellLine } from "./cell-lines.ts";

/*
 * The files named data.h5 that DART-Eval publishes, one per task: sequences cut out and one-hot encoded, with their targets.
 * Sequences are uint8 [..., bases, 4], channels A, C, G, T, zeros where no base is known.
 */

/** Parts of the chromosome split, as groups are named after them. */
const SPLITS = ["train", "val", "test"] as const;
type SplitName = (typeof SPLITS)[number];

/** One-hot sequences of a file, read on request. */
export interface ProcessedSequences {
  /** Entries along the first axis. */
  readonly entries: number;
  /** Sequences in each entry: 1 for [n, bases, 4], 200 for [n, 200, bases, 4]. */
  readonly perEntry: number;
  /** Bases of each sequence. */
  readonly length: number;
  /** Entries that are unpacked together. */
  readonly entriesPerChunk: number;
  /**
   * Base codes of entries [start, end), sequence after sequence: 0 A, 1 C, 2 G, 3 T, 4 no base.
   * @throws {FormatError} when a position is not one-hot, or the file is damaged there
   */
  codes(start: number, end: number): Uint8Array;
}

/** Sequences of the members of a row, and which rows of the whole table they are. */
export interface ProcessedSplit<Member extends string> {
  readonly members: Readonly<Record<Member, ProcessedSequences>>;
  /** Number of each row in the table that it comes from. [n] */
  readonly rows: Float64Array;
}

export interface ProcessedPeaks extends ProcessedSplit<"sequence"> {
  /** log(1 + counts), nats. [n] */
  readonly counts: Float64Array;
}

export interface ProcessedVariants extends Omit<ProcessedSplit<"first" | "second">, "rows"> {
  /** The exported column, which says whether a variant is used and not whether it is causal (quirk Q23). [n] */
  readonly used: Float64Array;
  /** [n] */
  readonly effectSize: Float64Array;
}

/** An opened data.h5. What each method gives is there only in the file of its task. */
export interface ProcessedData extends AsyncDisposable {
  readonly path: string;
  /** Whether the file has groups train, val and test with labels: Task 3. */
  readonly hasCellTypes: boolean;
  /** Task 1: `{split}/seqs`, `ctrls`, `idxs`. */
  elements(split: SplitName): ProcessedSplit<"element" | "control">;
  /** Task 2: `raw` [1, 200, …], `positive` and `shuffled` [motifs, 200, …], motifs by name. */
  motifs(): Readonly<Record<"raw" | "positive" | "shuffled", ProcessedSequences>>;
  /** Task 3: `{split}/seqs`, `labels` (place in the list of cell lines), `idxs`. */
  cellTypes(split: SplitName): ProcessedSplit<"element"> & { readonly labels: readonly CellLine[] };
  /** Task 4: `{cell line}/{split}/{set}/seqs`, `counts`, `idxs`. */
  activity(line: CellLine, split: SplitName, set: "peaks" | "idr_peaks" | "nonpeaks"): ProcessedPeaks;
  /** Names of Task 5's tables. */
  variantTables(): readonly string[];
  /** Task 5: `{table}/allele_1_seqs`, `allele_2_seqs`, `is_causal`, `effect_size`. */
  variants(table: string): ProcessedVariants;
  close(): Promise<void>;
}

/**
 * Opens a data.h5 of DART-Eval. Nothing of it is read yet; its methods throw a `FormatError` that names the array which is
 * missing, or of another shape or type than its task's.
 *
 * @throws {FormatError} when it is no HDF5 file
 * @throws {InputError} when there is no such file
 */
export async function openProcessed(path: string): Promise<ProcessedData> {
  const file = await openHdf5(path);
  const split = (at: string, names: Readonly<Record<string, string>>) => {
    const rows = numbersAt(file, `${at}/idxs`);
    const members = Object.fromEntries(
      Object.entries(names).map(([member, name]) => [
        member,
        sequencesAt(file, `${at}/${name}`, rows.length),
      ]),
    );
    return { members, rows };
  };
  const close = () => file.close();
  return {
    path,
    hasCellTypes: SPLITS.some((name) => file.array(`${name}/labels`) !== undefined),
    elements: (name) =>
      split(name, { element: "seqs", control: "ctrls" }) as ProcessedSplit<"element" | "control">,
    motifs: () => ({
      raw: sequencesAt(file, "raw"),
      positive: sequencesAt(file, "positive"),
      shuffled: sequencesAt(file, "shuffled"),
    }),
    cellTypes(name) {
      const found = split(name, { element: "seqs" }) as ProcessedSplit<"element">;
      const labels = numbersAt(file, `${name}/labels`, found.rows.length);
      return { ...found, labels: Array.from(labels, (label, i) => lineOf(file, `${name}/labels`, label, i)) };
    },
    activity(line, part, set) {
      const at = `${line}/${part}/${set}`;
      const found = split(at, { sequence: "seqs" }) as ProcessedSplit<"sequence">;
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
    "is this the data.h5 of this task, downloaded completely?",
  );
}

function numbersAt(file: Hdf5File, name: string, expected?: number): Float64Array {
  const array = arrayAt(file, name);
  if (array.shape.length !== 1 || (expected !== undefined && array.shape[0] !== expected)) {
    throw new FormatError(
      { file: file.path, tensor: name },
      `has the shape [${array.shape.join(", ")}], expected [${expected ?? "rows"}]`,
    );
  }
  const { dtype, data } = array.read();
  if (dtype === "float16") return Float64Array.from(widenToFloat32(dtype, data));
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}

function sequencesAt(file: Hdf5File, name: string, expected?: number): ProcessedSequences {
  const array = arrayAt(file, name);
  const { shape, dtype } = array;
  const [entries] = shape;
  const fits = shape.length >= 3 && shape.at(-1) === 4 && (expected === undefined || entries === expected);
  if (!fits || (dtype !== "uint8" && dtype !== "int8")) {
    throw new FormatError(
      { file: file.path, tensor: name },
      `is ${dtype} [${shape.join(", ")}], expected uint8 [${expected ?? "rows"}, …, bases, 4]`,
    );
  }
  const length = shape.at(-2)!;
  const perEntry = shape.slice(1, -2).reduce((product, size) => product * size, 1);
  return {
    entries: entries!,
    perEntry,
    length,
    entriesPerChunk: array.rowsPerChunk,
    codes(start, end) {
      const { data } = array.read([start, end]);
      return codesOfOneHot(data as Uint8Array, (position) => {
        const entry = start + Math.floor(position / (length * perEntry));
        return new FormatError(
          { file: file.path, tensor: name },
          `position ${position % length} of entry ${entry} is not one-hot`,
          "one of its four numbers is 1, or none, and the others are 0",
        );
      });
    },
  };
}

/** @param refusal  what to throw for a position, counted from the first */
function codesOfOneHot(data: Uint8Array, refusal: (position: number) => FormatError): Uint8Array {
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
    if (ones > 1) throw refusal(position);
    codes[position] = code;
  }
  return codes;
}

function lineOf(file: Hdf5File, name: string, label: number, place: number): CellLine {
  const line = CELL_LINES[label];
  if (line !== undefined) return line;
  throw new FormatError(
    { file: file.path, tensor: name },
    `label ${label} of entry ${place} is none of ${CELL_LINES.length} cell lines`,
    `labels are 0 to ${CELL_LINES.length - 1}, for ${CELL_LINES.join(", ")}`,
  );
}

/** First bytes of an HDF5 file. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46];

/** Whether a file is HDF5, and so data that DART-Eval exported, not a table. @throws {InputError} when it cannot be read */
export async function isProcessedFile(path: string): Promise<boolean> {
  await using handle = await openFile(path);
  if (handle.size < SIGNATURE.length) return false;
  const bytes = await handle.read(0, SIGNATURE.length);
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** One sequence of an array with one per entry. */
export interface ProcessedEntry {
  readonly sequences: ProcessedSequences;
  readonly entry: number;
}

/** Bases read at once, at most: a quarter of their bytes in the file. */
const READ_AT_ONCE = 16 * 2 ** 20;

/**
 * Base codes of some entries, in the order asked. Entries that follow one another in an array are read together, and so are
 * those of one chunk, which is unpacked whole for any of them; up to 16 million bases at once.
 * @throws {FormatError} as `ProcessedSequences.codes`
 */
export function codesOfEntries(asked: readonly ProcessedEntry[]): readonly Uint8Array[] {
  const codes = new Array<Uint8Array>(asked.length);
  const arrays = new Map(asked.map(({ sequences }, i) => [sequences, i]));
  const order = [...asked.keys()].sort((a, b) => {
    const [x, y] = [asked[a], asked[b]];
    return arrays.get(x.sequences)! - arrays.get(y.sequences)! || x.entry - y.entry;
  });
  const chunkOf = ({ sequences, entry }: ProcessedEntry) => Math.floor(entry / sequences.entriesPerChunk);
  const together = (next: ProcessedEntry, before: ProcessedEntry, first: ProcessedEntry) =>
    next.sequences === before.sequences &&
    (next.entry - before.entry <= 1 || chunkOf(next) === chunkOf(before)) &&
    (next.entry - first.entry + 1) * next.sequences.length <= READ_AT_ONCE;
  for (let start = 0; start < order.length; ) {
    const { sequences, entry: first } = asked[order[start]];
    let end = start + 1;
    while (end < order.length && together(asked[order[end]], asked[order[end - 1]], asked[order[start]]))
      end++;
    const read = sequences.codes(first, asked[order[end - 1]].entry + 1);
    for (const place of order.slice(start, end)) {
      const at = (asked[place].entry - first) * sequences.length;
      codes[place] = read.slice(at, at + sequences.length);
    }
    start = end;
  }
  return codes;
}
