import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { copyText, forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { FootprintLine } from "./footprints.ts";

/** In the order of the lines: the two backgrounds, then for each motif both members on one strand, then on the other. */
export const STRANDS = ["forward", "reverse"] as const;
const MEMBERS = ["true", "shuffled"] as const;
const RAW_LINES = STRANDS.length;
const LINES_PER_MOTIF = STRANDS.length * MEMBERS.length;

/**
 * The sequences of a footprints' file, kept as their difference from the background: 577,400 of them in 20 MB.
 * Line numbers count from 0.
 */
export interface Footprints {
  readonly backgrounds: number;
  /** Names, in the order of the file. */
  readonly motifs: readonly string[];
  /** Letters of every sequence. */
  readonly length: number;
  readonly lines: number;
  sequence(line: number): string;
  /** SHA-256 of what the lines say, however the file is compressed. */
  readonly digest: string;
}

/**
 * Writes the lines of `buildFootprints`, key and sequence with a tab between, whole or not at all.
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
 * Reads a footprints' file, plain or compressed: no header, key and sequence, in the order of `buildFootprints`.
 * @throws {FormatError} naming the line when a key is not the one that comes next, a sequence has other letters than A, C,
 *   G and T or another length than the first, or the file ends within a background
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
        `${JSON.stringify(text.slice(0, 40))} is not a key and a sequence with a tab between`,
        "expected is the file that dart-eval build motif-footprinting writes",
      );
    }
    collector.add(text.slice(0, tab), text.slice(tab + 1), line);
  });
  return collector.finish();
}

/** The same of lines of a program's own. @throws {InputError} as `readFootprints` */
export function footprintsOf(lines: Iterable<FootprintLine>): Footprints {
  const collector = new Collector(
    (message, line, hint) =>
      new InputError(`entry ${line - 1} of the footprints: ${message}`, hint === undefined ? {} : { hint }),
  );
  let line = 0;
  for (const { key, sequence } of lines) collector.add(key, sequence, ++line);
  return collector.finish();
}

type Refusal = (message: string, line: number, hint?: string) => InputError;

class Collector {
  private readonly motifs: string[] = [];
  /** Both strands of each background in turn. */
  private readonly raw: string[] = [];
  private readonly inserts: Insert[] = [];
  private background = 0;
  /** Lines read of the background at work. */
  private within = 0;
  /** Known once the first background is over. */
  private perBackground = Number.POSITIVE_INFINITY;
  private text: string[] = [];
  private readonly digests: string[] = [];

  constructor(private readonly refusal: Refusal) {}

  /** @param line  from 1 */
  add(key: string, sequence: string, line: number): void {
    this.checkSequence(sequence, line);
    if (this.background === 0 && this.betweenMotifs()) this.noteMotif(key);
    if (this.within === this.perBackground) {
      this.background++;
      this.within = 0;
    }
    const expected = this.nextKey();
    if (key !== expected) {
      throw this.refusal(
        `the key is ${JSON.stringify(key.slice(0, 80))}, and ${expected} comes next`,
        line,
        "the order of lines is that of dart-eval build motif-footprinting, with the same motifs for every background",
      );
    }
    if (this.within < RAW_LINES) this.raw.push(copyText(sequence));
    else this.inserts.push(insertOf(sequence, this.raw.at(strandOf(this.within) - STRANDS.length)!));
    this.within++;
    this.text.push(`${key}\t${sequence}`);
    if (this.text.length === 4096) this.digestText();
  }

  finish(): Footprints {
    const { motifs, raw, inserts, within } = this;
    const lines = raw.length + inserts.length;
    if (motifs.length === 0 || within !== RAW_LINES + LINES_PER_MOTIF * motifs.length) {
      const where = lines === 0 ? "there is no line" : `the lines end within background ${this.background}`;
      throw this.refusal(where, lines, "is the file cut off?");
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
        const place = line % within;
        if (place < RAW_LINES) return raw[RAW_LINES * background + place];
        const original = raw[RAW_LINES * background + strandOf(place)];
        return withInsert(original, inserts[line - RAW_LINES * (background + 1)]);
      },
    };
  }

  private betweenMotifs(): boolean {
    return this.within >= RAW_LINES && (this.within - RAW_LINES) % LINES_PER_MOTIF === 0;
  }

  /** The first background's lines say which motifs there are; the second's first line ends it. */
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
      const found = other === null ? "no letter" : `${JSON.stringify(other[0])} as letter ${other.index + 1}`;
      throw this.refusal(`the sequence has ${found}`, line, "expected are A, C, G and T in upper case");
    }
    const first = this.raw[0] ?? sequence;
    if (sequence.length === first.length) return;
    throw this.refusal(
      `the sequence has ${sequence.length} letters, and the first has ${first.length}`,
      line,
    );
  }

  private digestText(): void {
    this.digests.push(sha256Hex(this.text.join("\n")));
    this.text = [];
  }
}

/** 0 forward, 1 reverse: by the place of a line within its background. */
function strandOf(place: number): number {
  return place < RAW_LINES ? place : Math.floor((place - RAW_LINES) / MEMBERS.length) % STRANDS.length;
}

/** A sequence as what it has in place of its background's letters. */
export interface Insert {
  readonly start: number;
  readonly letters: string;
}

/** From the first letter that differs to the last; a sequence equal to its background has an insert of no letters. */
export function insertOf(sequence: string, background: string): Insert {
  let start = 0;
  while (start < sequence.length && sequence[start] === background[start]) start++;
  let end = sequence.length;
  while (end > start && sequence[end - 1] === background[end - 1]) end--;
  return { start, letters: copyText(sequence.slice(start, end)) };
}

/** The sequence again. */
export const withInsert = (background: string, { start, letters }: Insert): string =>
  background.slice(0, start) + letters + background.slice(start + letters.length);
