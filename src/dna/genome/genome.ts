import { cachedDigestOf, sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { type OpenFile, openFile } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import { openFasta } from "./fasta.ts";
import { checkInterval, type Interval, missingChromosomeError } from "./interval.ts";
import { NO_DNA_LETTER, type SequenceSource } from "./sequence-source.ts";
import { openTwoBit, twoBitByteOrder } from "./twobit.ts";

/** A reference genome in a file. Close it with `close()` or `await using`. */
export interface Genome extends AsyncDisposable {
  readonly path: string;
  /** Length of each sequence, in bases. */
  readonly chromosomes: ReadonlyMap<string, number>;
  /**
   * Sequence of an interval in upper case; N for positions off the chromosome.
   * @throws {InputError} when the genome does not have the chromosome, or the interval is invalid
   */
  sequence(interval: Interval): Promise<string>;
  /**
   * A whole chromosome as upper-case ASCII bytes, including ambiguity letters, for extracting many windows.
   * The last chromosome is cached; do not modify it.
   *
   * @param keepAll  also cache the chromosomes before it, as long as they take at most a quarter of the
   *                 available memory: for windows in random order. Default false
   * @throws {InputError} when the genome does not have the chromosome
   */
  chromosome(name: string, keepAll?: boolean): Promise<Uint8Array>;
  /**
   * Soft mask of a whole chromosome, in a new array: 1 for a base in lower case (a repeat), else 0.
   * @throws {InputError} when the genome does not have the chromosome
   */
  softMask(name: string): Promise<Uint8Array>;
  /**
   * SHA-256 of names and bases (see `genomeDigest`), equal for FASTA, compressed FASTA and 2bit files of the
   * same genome. Cached until the file changes.
   */
  digest(): Promise<string>;
  /** Closes the file. */
  close(): Promise<void>;
}

/**
 * Opens a genome: FASTA, plain or compressed with bgzip, or 2bit, recognised by the first bytes.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the format is unknown, the file is damaged, or it does not match its index
 */
export async function openGenome(path: string): Promise<Genome> {
  const file = await openFile(path);
  try {
    const source = await openSource(file);
    // Opens the path again: the cached digest must describe the file that is there now.
    const digest = () =>
      cachedDigestOf(GENOME_DIGEST_VERSION, path, async () => {
        await using current = await openFile(path);
        return await genomeDigest(await openSource(current));
      });
    return genomeOf(path, source, digest, file.close);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openSource(file: OpenFile): Promise<SequenceSource> {
  if (file.size === 0) throw new InputError("the file is empty", { place: { file: file.path } });
  const start = await file.read(0, Math.min(4, file.size));
  return twoBitByteOrder(start) === undefined ? openFasta(file) : openTwoBit(file);
}

/**
 * A genome in memory, for synthetic genomes, tests, or a few sequences.
 *
 * @param path       name of the genome in messages
 * @param sequences  sequences by name, in either case
 * @throws {InputError} when a sequence has a character that is not a DNA letter
 */
export function genomeInMemory(path: string, sequences: ReadonlyMap<string, string>): Genome {
  for (const [name, bases] of sequences) {
    const at = bases.search(NO_DNA_LETTER);
    if (at >= 0) {
      throw new InputError(
        `${JSON.stringify(bases[at])} at base ${at + 1} of sequence ${JSON.stringify(name)} is not a DNA letter`,
        { place: { file: path } },
      );
    }
  }
  const source: SequenceSource = {
    lengths: new Map([...sequences].map(([name, bases]) => [name, bases.length])),
    read: async (name, start, end) => valueAt(sequences, name).slice(start, end),
    readWhole: async (name) => new TextEncoder().encode(valueAt(sequences, name).toUpperCase()),
    readMask: async (name) =>
      Uint8Array.from(valueAt(sequences, name), (letter) => (letter === letter.toUpperCase() ? 0 : 1)),
  };
  return genomeOf(
    path,
    source,
    () => genomeDigest(source),
    async () => {},
  );
}

/** Share of the available memory for several chromosomes. */
const SHARE_OF_MEMORY = 0.25;

function genomeOf(
  path: string,
  source: SequenceSource,
  digest: () => Promise<string>,
  closeFile: () => Promise<void>,
): Genome {
  const chromosomes = source.lengths;
  /** Chromosomes in memory, the last one at the end. */
  const cached = new Map<string, Promise<Uint8Array>>();

  function lengthOf(name: string): number {
    const length = chromosomes.get(name);
    if (length === undefined) throw missingChromosomeError(name, chromosomes.keys(), { file: path });
    return length;
  }

  async function sequence(interval: Interval): Promise<string> {
    const { chrom, start, end } = interval;
    const length = lengthOf(chrom);
    checkInterval(interval);
    const from = Math.min(Math.max(start, 0), end);
    const to = Math.max(Math.min(end, length), from);
    const inside = from < to ? await read(chrom, from, to) : "";
    return "N".repeat(from - start) + inside + "N".repeat(end - to);
  }

  async function read(name: string, from: number, to: number): Promise<string> {
    const bases = await cached.get(name);
    if (bases === undefined) return (await source.read(name, from, to)).toUpperCase();
    return Buffer.from(bases.subarray(from, to)).toString("latin1");
  }

  async function chromosome(name: string, keepAll = false): Promise<Uint8Array> {
    const length = lengthOf(name);
    const found = cached.get(name);
    if (found !== undefined) return found;
    const bytes = [...cached.keys()].reduce((sum, other) => sum + lengthOf(other), 0);
    if (!keepAll || bytes + length > SHARE_OF_MEMORY * (process.availableMemory() + bytes)) cached.clear();
    const bases = source.readWhole(name);
    cached.set(name, bases);
    // Do not cache a failed read.
    bases.catch(() => {
      if (cached.get(name) === bases) cached.delete(name);
    });
    return bases;
  }

  async function softMask(name: string): Promise<Uint8Array> {
    lengthOf(name);
    return source.readMask(name);
  }

  async function close(): Promise<void> {
    cached.clear();
    await closeFile();
  }

  return { path, chromosomes, sequence, chromosome, softMask, digest, close, [Symbol.asyncDispose]: close };
}

/** Maps every byte except A, C, G and T to N. */
const BASE_OR_N = new Uint8Array(256).fill(78);
for (const base of "ACGT") BASE_OR_N[base.charCodeAt(0)] = base.charCodeAt(0);

/** Version of `genomeDigest`, part of its cache key. */
const GENOME_DIGEST_VERSION = "genome 1";

/**
 * SHA-256 of the contents of a genome: one line `name, length, SHA-256 of the sequence` per sequence, sorted
 * by name.
 *
 * Independent of case, line width, compression and the order of sequences. Letters other than A, C, G, T
 * count as N: 2bit cannot store them, and no model receives them.
 */
async function genomeDigest(source: SequenceSource): Promise<string> {
  const lines: string[] = [];
  for (const [name, length] of source.lengths) {
    const bases = await source.readWhole(name);
    for (let i = 0; i < bases.length; i++) bases[i] = BASE_OR_N[bases[i]];
    lines.push(`${name}\t${length}\t${sha256Hex(bases)}\n`);
  }
  return sha256Hex(lines.sort().join(""));
}
