import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";
import type { FastaIndexEntry } from "./fasta-index.ts";

const LINE_FEED = 10;
const HEADER = 62; // ">"
const isBlank = (byte: number) => byte === 13 || byte === 32 || byte === 9;

/** Makes a FASTA file's index from its bytes, given in order in pieces of any size. */
export class FastaIndexBuilder {
  readonly #file: string;
  readonly #entries: FastaIndexEntry[] = [];
  readonly #names = new Set<string>();
  /** 1-based number of the current line, the byte it begins at, and what was seen of it. */
  #line = 1;
  #lineStart = 0;
  #lineLength = 0;
  #firstByte = -1;
  /** Blanks at its end so far, a carriage return included. */
  #blanks = 0;
  #header: number[] = [];
  /** The sequence being read. */
  #name: string | undefined;
  #length = 0;
  #offset = 0;
  #lineBases = 0;
  #lineBytes = 0;
  /** A line shorter than the others was seen: it must be the last one. */
  #ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  add(piece: Uint8Array): void {
    let start = 0;
    while (start < piece.length) {
      const end = piece.indexOf(LINE_FEED, start);
      const stop = end === -1 ? piece.length : end;
      if (stop > start) this.#extendLine(piece, start, stop);
      if (end === -1) return;
      this.#finishLine(1);
      start = end + 1;
    }
  }

  /** @throws {FormatError} when there is no sequence, or its lines cannot be indexed */
  finish(): FastaIndexEntry[] {
    if (this.#lineLength > 0) this.#finishLine(0);
    this.#finishSequence();
    if (this.#entries.length === 0) throw this.#refuse("the file holds no sequence");
    return this.#entries;
  }

  #extendLine(piece: Uint8Array, start: number, stop: number): void {
    if (this.#lineLength === 0) this.#firstByte = piece[start]!;
    if (this.#firstByte === HEADER && this.#header.length < 1024) {
      this.#header.push(...piece.subarray(start, Math.min(stop, start + 1024)));
    }
    let last = stop;
    while (last > start && isBlank(piece[last - 1]!)) last--;
    this.#blanks = last === start ? this.#blanks + stop - start : stop - last;
    this.#lineLength += stop - start;
  }

  #finishLine(lineFeed: 0 | 1): void {
    const length = this.#lineLength;
    const bases = length - this.#blanks;
    if (bases > 0 && this.#firstByte === HEADER) this.#beginSequence(lineFeed);
    else this.#addSequenceLine(bases, length + lineFeed);
    this.#line++;
    this.#lineStart += length + lineFeed;
    this.#lineLength = this.#blanks = 0;
  }

  #beginSequence(lineFeed: number): void {
    this.#finishSequence();
    const header = Buffer.from(this.#header).toString("utf8", 1);
    this.#header = [];
    this.#name = header.split(/\s/, 1)[0]!;
    this.#offset = this.#lineStart + this.#lineLength + lineFeed;
    this.#length = this.#lineBases = this.#lineBytes = 0;
    this.#ended = false;
    if (this.#name === "") throw this.#refuse("the sequence has no name");
    if (this.#names.has(this.#name))
      throw this.#refuse(`a second sequence is named ${quotedText(this.#name)}`);
    this.#names.add(this.#name);
  }

  #addSequenceLine(bases: number, bytes: number): void {
    if (bases === 0) {
      this.#ended = true;
      return;
    }
    if (this.#name === undefined) {
      throw this.#refuse('the first line does not begin with ">"', "is this a FASTA file?");
    }
    if (this.#lineBases === 0 && !this.#ended) {
      this.#lineBases = bases;
      this.#lineBytes = bytes;
    } else if (this.#ended || bases > this.#lineBases) {
      throw this.#refuse(
        `the lines of sequence ${quotedText(this.#name)} differ in length before this one`,
        "all lines of a sequence but the last must be equally long; rewrap the file, for instance with seqkit seq -w 60",
      );
    }
    if (bytes !== this.#lineBytes) this.#ended = true;
    this.#length += bases;
  }

  #finishSequence(): void {
    if (this.#name === undefined) return;
    this.#entries.push({
      name: this.#name,
      length: this.#length,
      offset: this.#offset,
      lineBases: this.#lineBases,
      lineBytes: this.#lineBytes,
    });
  }

  #refuse(message: string, hint?: string): FormatError {
    return new FormatError({ file: this.#file, line: this.#line }, message, hint);
  }
}
