import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { copyText, forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { FootprintLine } from "./footprints.ts";

/**
 * Order of the lines of one background: both strands of the background, then for each motif true and shuffled
 * on the forward strand, true and shuffled on the reverse strand.
 */
export const STRANDS = ["forward", "reverse"] as const;
const MEMBERS = ["true", "shuffled"] as const;
const RAW_LINES = STRANDS.length;
const LINES_PER_MOTIF = STRANDS.length * MEMBERS.length;

/**
 * Sequences of a footprint file, stored as differences from their backgrounds: 577,400 sequences take 20 MB.
 */
export interface Footprints {
  /** Number of backgrounds. */
  readonly backgrounds: number;
  /** Names, in file order. */
  readonly motifs: readonly string[];
  /** Bases per sequence. */
  readonly length: number;
  /** Number of lines. */
  readonly lines: number;
  /** @param line  0-based */
  sequence(line: number): string;
  /** SHA-256 of the uncompressed lines. */
  readonly digest: string;
}

/**
 * Writes the lines of `buildFootprints`, key and sequence separated by a tab, atomically.
 * @throws {InputError} when it cannot be written
 */
export async function writeFootprints(path: string, lines: Iterable<FootprintLine>): Promise<void> {
  await writeFileAtomic(path, textOf(lines));
}

async function* textOf(lines: Iterable<FootprintLine>): AsyncGenerator<string> {
  let text = "";
  for (const { key, sequence } of lines) {
    text += `${key}\t${sequence}\n`;
    if (text.length < 2 ** 20) continue;
    yield text;
    text = "";
  }
  yield text;
}

/**
 * Reads a footprint file, plain or compressed: key and sequence without header, in the order of
 * `buildFootprints`.
 * @throws {FormatError} naming the line when a key is out of order, a sequence has a character other than A,
 *   C, G, T or differs in length from the first, or the file ends within a background
 */
export async function readFootprints(path: string): Promise<Footprints> {
  const collector = new Collector(
    (message, line, hint) => new FormatError({ file: path, line }, message, hint),
  );
  await forEachLine(path, (text, line) => {
    if (text === "") return;
    const tab = text.indexOf("\t");
    if (tab < 0) {
      throw new FormatError(
        { file: path, line },
        `${JSON.stringify(text.slice(0, 40))} is not a key and a sequence separated by a tab`,
        "dart-eval build motif-footprinting writes such files",
      );
    }
    collector.add(text.slice(0, tab), text.slice(tab + 1), line);
  });
  return collector.finish();
}

/** Footprints from lines in memory. @throws {InputError} as `readFootprints` */
export function footprintsOf(lines: Iterable<FootprintLine>): Footprints {
  const collector = new Collector(
    (message, line, hint) =>
      new InputError(`footprint line ${line - 1}: ${message}`, hint === undefined ? {} : { hint }),
  );
  let line = 0;
  for (const { key, sequence } of lines) collector.add(key, sequence, ++line);
  return collector.finish();
}

type MakeError = (message: string, line: number, hint?: string) => InputError;

/** Checks the lines of a footprint file one by one and collects their sequences. */
class Collector {
  private readonly motifs: string[] = [];
  /** [2 · background + strand] */
  private readonly raw: string[] = [];
  private readonly inserts: Insert[] = [];
  private background = 0;
  /** Number of lines read of the current background. */
  private within = 0;
  /** Lines per background; infinite during the first. */
  private perBackground = Number.POSITIVE_INFINITY;
  private text: string[] = [];
  private readonly digests: string[] = [];

  constructor(private readonly makeError: MakeError) {}

  /** @param line  1-based */
  add(key: string, sequence: string, line: number): void {
    this.checkSequence(sequence, line);
    if (this.background === 0 && this.betweenMotifs()) this.noteMotif(key);
    if (this.within === this.perBackground) {
      this.background++;
      this.within = 0;
    }
    const expected = this.nextKey();
    if (key !== expected) {
      throw this.makeError(
        `the key is ${JSON.stringify(key.slice(0, 80))}; expected ${expected}`,
        line,
        "lines must be in the order of dart-eval build motif-footprinting, with the same motifs for every background",
      );
    }
    if (this.within < RAW_LINES) this.raw.push(copyText(sequence));
    else {
      const background = this.raw[this.raw.length - STRANDS.length + strandOf(this.within)];
      this.inserts.push(insertOf(sequence, background));
    }
    this.within++;
    this.text.push(`${key}\t${sequence}`);
    if (this.text.length === 4096) this.digestText();
  }

  finish(): Footprints {
    const { motifs, raw, inserts, within } = this;
    const lines = raw.length + inserts.length;
    if (motifs.length === 0 || within !== RAW_LINES + LINES_PER_MOTIF * motifs.length) {
      const where = lines === 0 ? "there is no line" : `the lines end within background ${this.background}`;
      throw this.makeError(where, lines, "is the file truncated?");
    }
    this.digestText();
    return {
      backgrounds: this.background + 1,
      motifs,
      length: raw[0].length,
      lines,
      digest: sha256Hex(this.digests.join("\n")),
      sequence(line) {
        const background = Math.floor(line / within);
        const offset = line % within;
        if (offset < RAW_LINES) return raw[RAW_LINES * background + offset];
        const original = raw[RAW_LINES * background + strandOf(offset)];
        return withInsert(original, inserts[line - RAW_LINES * (background + 1)]);
      },
    };
  }

  private betweenMotifs(): boolean {
    return this.within >= RAW_LINES && (this.within - RAW_LINES) % LINES_PER_MOTIF === 0;
  }

  /** Collects the motif names from the first background, which ends where the second starts. */
  private noteMotif(key: string): void {
    if (key === "1_raw_forward" && this.motifs.length > 0) this.perBackground = this.within;
    const [, name] = /^0_(.+)_forward_true$/.exec(key) ?? [];
    if (name !== undefined) this.motifs.push(name);
  }

  private nextKey(): string {
    const { background, within } = this;
    const strand = STRANDS[strandOf(within)];
    if (within < RAW_LINES) return `${background}_raw_${strand}`;
    const motif = this.motifs[Math.floor((within - RAW_LINES) / LINES_PER_MOTIF)] ?? "MOTIF";
    return `${background}_${motif}_${strand}_${MEMBERS[(within - RAW_LINES) % 2]}`;
  }

  private checkSequence(sequence: string, line: number): void {
    const other = /[^ACGT]/.exec(sequence);
    if (sequence === "" || other !== null) {
      const found = other === null ? "no base" : `${JSON.stringify(other[0])} as base ${other.index + 1}`;
      throw this.makeError(`the sequence has ${found}`, line, "expected upper-case A, C, G and T");
    }
    const first = this.raw[0] ?? sequence;
    if (sequence.length === first.length) return;
    throw this.makeError(
      `the sequence has ${sequence.length} bases, and the first has ${first.length}`,
      line,
    );
  }

  private digestText(): void {
    this.digests.push(sha256Hex(this.text.join("\n")));
    this.text = [];
  }
}

/** 0 forward, 1 reverse. @param offset  line number within its background */
function strandOf(offset: number): number {
  return offset < RAW_LINES ? offset : Math.floor((offset - RAW_LINES) / MEMBERS.length) % STRANDS.length;
}

/** Difference of a sequence from its background. */
export interface Insert {
  readonly start: number;
  readonly bases: string;
}

/** The bases from the first to the last difference; none if sequence and background are equal. */
export function insertOf(sequence: string, background: string): Insert {
  let start = 0;
  while (start < sequence.length && sequence[start] === background[start]) start++;
  let end = sequence.length;
  while (end > start && sequence[end - 1] === background[end - 1]) end--;
  return { start, bases: copyText(sequence.slice(start, end)) };
}

/** The background with the insert: the inverse of `insertOf`. */
export const withInsert = (background: string, { start, bases }: Insert): string =>
  background.slice(0, start) + bases + background.slice(start + bases.length);
