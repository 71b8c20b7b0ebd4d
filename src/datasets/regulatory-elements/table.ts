import { FormatError } from "../../base/errors.ts";
import { NumberLog } from "../../base/number-log.ts";
import { type FieldPlace, parseWholeNumber } from "../../base/table.ts";
import { copyText, forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { MAX_POSITION, missingChromosomeError } from "../../dna/genome/interval.ts";

/** Regulatory element and its input window. Positions are 0-based, ends exclusive. */
export interface RegulatoryElementRow {
  /** 0-based number of the data row in the whole table. */
  readonly index: number;
  readonly chrom: string;
  readonly inputStart: number;
  readonly inputEnd: number;
  readonly elementStart: number;
  readonly elementEnd: number;
  /** Element relative to the window's start; negative if it starts before the window. */
  readonly relativeStart: number;
  readonly relativeEnd: number;
  /** The model's input is the reverse strand. */
  readonly reverseComplement: boolean;
}

/** Columns of DART-Eval's table of regulatory elements. */
const REGULATORY_ELEMENT_COLUMNS = [
  "chr",
  "input_start",
  "input_end",
  "ccre_start",
  "ccre_end",
  "ccre_relative_start",
  "ccre_relative_end",
  "reverse_complement",
] as const;

const HEADER = REGULATORY_ELEMENT_COLUMNS.join("\t");

export interface PreparedOptions {
  /** Genome that elements must lie in. */
  readonly genome?: Pick<Genome, "path" | "chromosomes">;
}

/** Rows of `readRegulatoryElementTable` as objects. 2.35 million rows take about 250 MB. */
export async function readRegulatoryElements(
  path: string,
  options: PreparedOptions = {},
): Promise<RegulatoryElementRow[]> {
  return [...(await readRegulatoryElementTable(path, options))];
}

/**
 * Reads the prepared table of regulatory elements, plain or compressed.
 *
 * @throws {FormatError} naming the line when the header differs, a field is not of its column's type,
 *   relative positions contradict absolute ones, windows differ in length, an element does not overlap its
 *   window, or lies outside the genome
 */
export async function readRegulatoryElementTable(
  path: string,
  options: PreparedOptions = {},
): Promise<RegulatoryElementTable> {
  const rows = new RegulatoryElementTable();
  let width: number | undefined;
  let headerSeen = false;
  await forEachLine(path, (text, line) => {
    const place = { file: path, line };
    if (!headerSeen) {
      checkHeader(text, place);
      headerSeen = true;
      return;
    }
    if (text === "") return;
    const row = parseRow(text, rows.length, place);
    width ??= row.inputEnd - row.inputStart;
    checkRow(row, width, options, place);
    rows.push(row);
  });
  if (!headerSeen) throw new FormatError({ file: path }, "the table is empty");
  return rows;
}

/**
 * Writes a prepared table atomically.
 * @throws {InputError} when it cannot be written
 */
export async function writeRegulatoryElements(
  path: string,
  rows: AsyncIterable<RegulatoryElementRow> | Iterable<RegulatoryElementRow>,
): Promise<void> {
  await writeFileAtomic(path, tableText(rows));
}

async function* tableText(
  rows: AsyncIterable<RegulatoryElementRow> | Iterable<RegulatoryElementRow>,
): AsyncGenerator<string> {
  let text = `${HEADER}\n`;
  for await (const row of rows) {
    text += `${row.chrom}\t${row.inputStart}\t${row.inputEnd}\t${row.elementStart}\t${row.elementEnd}`;
    text += `\t${row.relativeStart}\t${row.relativeEnd}\t${row.reverseComplement ? "True" : "False"}\n`;
    if (text.length < 2 ** 16) continue;
    yield text;
    text = "";
  }
  yield text;
}

function checkHeader(text: string, place: FieldPlace): void {
  if (text === HEADER) return;
  const found = text.split("\t");
  const wrong = REGULATORY_ELEMENT_COLUMNS.findIndex((column, i) => column !== found[i]);
  const message =
    wrong === -1
      ? `the header has ${found.length} columns; expected ${REGULATORY_ELEMENT_COLUMNS.length}`
      : `column ${wrong + 1} is ${JSON.stringify(found[wrong]?.slice(0, 40) ?? "missing")}; expected ${JSON.stringify(REGULATORY_ELEMENT_COLUMNS[wrong])}`;
  throw new FormatError(
    place,
    message,
    "dart-eval build regulatory-elements makes the prepared table from a BED file",
  );
}

function parseRow(text: string, index: number, place: FieldPlace): RegulatoryElementRow {
  const fields = text.split("\t");
  if (fields.length !== REGULATORY_ELEMENT_COLUMNS.length) {
    throw new FormatError(
      place,
      `the line has ${fields.length} fields; expected ${REGULATORY_ELEMENT_COLUMNS.length}`,
      "fields are separated by tabs",
    );
  }
  if (fields[0] === "") throw new FormatError(place, "the chromosome's name is empty");
  const position = (column: number) =>
    parseWholeNumber(fields[column], REGULATORY_ELEMENT_COLUMNS[column], place, 0, MAX_POSITION);
  const relative = (column: number) =>
    parseWholeNumber(fields[column], REGULATORY_ELEMENT_COLUMNS[column], place, -(2 ** 31), 2 ** 31 - 1);
  return {
    index,
    chrom: fields[0],
    inputStart: position(1),
    inputEnd: position(2),
    elementStart: position(3),
    elementEnd: position(4),
    relativeStart: relative(5),
    relativeEnd: relative(6),
    reverseComplement: parseFlag(fields[7], place),
  };
}

function parseFlag(text: string, place: FieldPlace): boolean {
  const flag = text.toLowerCase();
  if (flag !== "true" && flag !== "false") {
    throw new FormatError(
      place,
      `reverse_complement is ${JSON.stringify(text.slice(0, 40))}; expected True or False`,
    );
  }
  return flag === "true";
}

function checkRow(
  row: RegulatoryElementRow,
  width: number,
  { genome }: PreparedOptions,
  place: FieldPlace,
): void {
  const { chrom, inputStart, inputEnd, elementStart, elementEnd, relativeStart, relativeEnd } = row;
  const wrong = (message: string, hint?: string) => new FormatError(place, message, hint);
  if (inputEnd <= inputStart) throw wrong(`input_end ${inputEnd} is not after input_start ${inputStart}`);
  if (elementEnd < elementStart) throw wrong(`ccre_end ${elementEnd} is before ccre_start ${elementStart}`);
  if (inputEnd - inputStart !== width) {
    throw wrong(`the window has ${inputEnd - inputStart} bases, the first row's has ${width}`);
  }
  if (relativeStart !== elementStart - inputStart || relativeEnd !== elementEnd - inputStart) {
    throw wrong(
      `the relative positions are ${relativeStart} and ${relativeEnd}; expected ${elementStart - inputStart} and ${elementEnd - inputStart}`,
      "they count from input_start",
    );
  }
  if (relativeStart >= width || relativeEnd <= 0) throw wrong("the element lies outside its window");
  if (genome === undefined) return;
  const length = genome.chromosomes.get(chrom);
  if (length === undefined) throw missingChromosomeError(chrom, genome.chromosomes.keys(), place);
  if (elementEnd > length) {
    throw wrong(
      `ccre_end ${elementEnd} lies beyond the end of ${chrom}, which has ${length} bases in ${genome.path}`,
      "was the table made for another assembly?",
    );
  }
}

/**
 * Prepared table of regulatory elements as columns, which are on disk beyond a few megabytes. The iterator
 * creates rows one at a time.
 */
class RegulatoryElementTable implements Iterable<RegulatoryElementRow> {
  readonly #names: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #chrom = new NumberLog();
  readonly #inputStart = new NumberLog();
  /** Bases of the window. */
  readonly #inputWidth = new NumberLog();
  readonly #relativeStart = new NumberLog();
  /** Bases of the element. */
  readonly #elementWidth = new NumberLog();
  readonly #reverseComplement = new NumberLog();

  get length(): number {
    return this.#chrom.length;
  }

  /** @param row  0-based number in the table */
  at(row: number): RegulatoryElementRow {
    const inputStart = this.#inputStart.at(row);
    const inputEnd = inputStart + this.#inputWidth.at(row);
    const relativeStart = this.#relativeStart.at(row);
    const elementStart = inputStart + relativeStart;
    const elementEnd = elementStart + this.#elementWidth.at(row);
    return {
      index: row,
      chrom: this.#names[this.#chrom.at(row)],
      inputStart,
      inputEnd,
      elementStart,
      elementEnd,
      relativeStart,
      relativeEnd: elementEnd - inputStart,
      reverseComplement: this.#reverseComplement.at(row) === 1,
    };
  }

  *[Symbol.iterator](): Generator<RegulatoryElementRow> {
    for (let row = 0; row < this.length; row++) yield this.at(row);
  }

  /** Appends a row; its index and relative positions are ignored. */
  push({ chrom, inputStart, inputEnd, elementStart, elementEnd, reverseComplement }: RegulatoryElementRow) {
    this.#chrom.push(this.#codeOf(chrom));
    this.#inputStart.push(inputStart);
    this.#inputWidth.push(inputEnd - inputStart);
    this.#relativeStart.push(elementStart - inputStart);
    this.#elementWidth.push(elementEnd - elementStart);
    this.#reverseComplement.push(reverseComplement ? 1 : 0);
  }

  #codeOf(name: string): number {
    let code = this.#codes.get(name);
    if (code !== undefined) return code;
    const copy = copyText(name);
    code = this.#names.length;
    this.#names.push(copy);
    this.#codes.set(copy, code);
    return code;
  }
}
