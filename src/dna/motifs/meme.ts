import { FormatError } from "../../base/errors.ts";
import { type FieldPlace, parseDecimal } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import type { Motif } from "./motif.ts";

/** A collection of motifs. */
export interface MotifCollection {
  /** Motifs in file order. */
  readonly motifs: readonly Motif[];
  /** Background frequencies of A, C, G, T given by the file; 0.25 each by default. */
  readonly background: Float64Array;
}

/** Maximum width of a motif, far above the longest known. */
const MAX_WIDTH = 1000;

/** Tolerance of the sum of a row, because files print few digits. */
const SUM_TOLERANCE = 0.02;

/**
 * Reads a MEME motif file, minimal or full text format, plain or compressed. Probabilities are not
 * renormalised, so a row sums to 1 up to the rounding of the file.
 *
 * Reads every motif, including one that ends at the end of the file (DART-Eval drops it). Log-odds matrices
 * and URL lines are ignored.
 *
 * @throws {FormatError} naming the line when the alphabet is not DNA, the number of rows differs from the
 *   stated width, a row does not have four probabilities, a name is repeated, or the file has no motif
 * @see https://meme-suite.org/meme/doc/meme-format.html
 */
export async function readMotifs(path: string): Promise<MotifCollection> {
  const reader = new MemeReader(path);
  for await (const { text, number } of textLines(path)) reader.line(text.trim(), number);
  return reader.finish();
}

/** A partially read matrix. */
interface OpenMatrix {
  readonly name: string;
  readonly line: number;
  /** Stated number of rows. */
  readonly width: number | undefined;
  readonly sites: number | undefined;
  readonly values: number[];
}

type LinePlace = FieldPlace & { readonly line: number };

class MemeReader {
  private readonly motifs: Motif[] = [];
  private readonly firstLine = new Map<string, number>();
  private background = new Float64Array(4).fill(0.25);
  private frequencies: number[] | undefined;
  private version = false;
  private name: { readonly text: string; readonly line: number } | undefined;
  private matrix: OpenMatrix | undefined;

  constructor(private readonly file: string) {}

  line(text: string, line: number): void {
    const place = { file: this.file, line };
    if (this.matrix !== undefined && this.row(this.matrix, text, place)) return;
    if (this.frequencies !== undefined && this.readFrequencies(this.frequencies, text, place)) return;
    if (/^MEME version\b/.test(text)) this.version = true;
    else if (/^ALPHABET\b/.test(text)) checkAlphabet(text, place);
    else if (/^Background letter frequencies\b/.test(text)) this.frequencies = [];
    else if (/^MOTIF\s/.test(text)) this.motif(text, place);
    else if (/^letter-probability matrix\b/.test(text)) this.open(text, place);
  }

  finish(): MotifCollection {
    if (this.matrix !== undefined) this.close(this.matrix);
    if (this.motifs.length > 0) return { motifs: this.motifs, background: this.background };
    throw new FormatError(
      { file: this.file },
      this.version ? "the file has no motif with a letter-probability matrix" : "this is not a MEME file",
      'expected "MEME version 4", then MOTIF lines, each with a letter-probability matrix',
    );
  }

  private motif(text: string, place: LinePlace): void {
    const [, name] = text.split(/\s+/);
    const before = this.firstLine.get(name);
    if (before !== undefined) {
      throw new FormatError(place, `the motif ${name} is already on line ${before}`);
    }
    this.firstLine.set(name, place.line);
    this.name = { text: name, line: place.line };
  }

  private open(text: string, place: LinePlace): void {
    if (this.name === undefined) {
      throw new FormatError(place, "the matrix has no MOTIF line before it");
    }
    const field = (key: string) => new RegExp(`\\b${key}=\\s*(\\S+)`).exec(text)?.[1];
    const letters = field("alength");
    if (letters !== undefined && letters !== "4") {
      throw new FormatError(place, `the alphabet of the matrix has ${letters} letters; expected 4`);
    }
    const width = field("w");
    if (width !== undefined && !(/^\d+$/.test(width) && Number(width) >= 1 && Number(width) <= MAX_WIDTH)) {
      throw new FormatError(
        place,
        `the matrix has the width ${JSON.stringify(width)}; expected 1 to ${MAX_WIDTH}`,
      );
    }
    const sites = parseDecimal(field("nsites") ?? "");
    this.matrix = {
      name: this.name.text,
      line: place.line,
      width: width === undefined ? undefined : Number(width),
      sites: sites > 0 && Number.isFinite(sites) ? sites : undefined,
      values: [],
    };
    this.name = undefined;
  }

  /** Adds a row to the matrix; at any other line closes the matrix and returns false. */
  private row(matrix: OpenMatrix, text: string, place: FieldPlace): boolean {
    const read = matrix.values.length / 4;
    const full = matrix.width !== undefined && read === matrix.width;
    if (!full && /^[-+.\d]/.test(text)) {
      matrix.values.push(...probabilitiesOf(text, place));
      if (read < MAX_WIDTH) return true;
      throw new FormatError(place, `the motif ${matrix.name} has more than ${MAX_WIDTH} rows`);
    }
    this.close(matrix);
    return false;
  }

  private close({ name, line, width, sites, values }: OpenMatrix): void {
    const rows = values.length / 4;
    if (rows === 0 || (width !== undefined && rows !== width)) {
      throw new FormatError(
        { file: this.file, line },
        `the matrix of ${name} has ${rows} rows${width === undefined ? "" : `; its header states ${width}`}`,
        "is the file truncated?",
      );
    }
    this.motifs.push({
      name,
      width: rows,
      probabilities: Float64Array.from(values),
      ...(sites === undefined ? {} : { sites }),
    });
    this.matrix = undefined;
  }

  /** Reads background frequencies, `A 0.25 C 0.25 …`, on one or more lines. */
  private readFrequencies(found: number[], text: string, place: FieldPlace): boolean {
    const fields = text === "" ? [] : text.split(/\s+/);
    const isPairs = fields.length > 0 && fields.every((field, i) => i % 2 === 1 || /^[ACGT]$/i.test(field));
    if (!isPairs) {
      this.frequencies = undefined;
      if (found.length === 4) return false;
      throw new FormatError(
        place,
        `the background has ${found.length} frequencies; expected those of A, C, G and T`,
      );
    }
    for (let i = 0; i < fields.length; i += 2) {
      const value = parseDecimal(fields[i + 1] ?? "");
      if (fields[i].toUpperCase() !== "ACGT"[found.length] || !(value > 0 && value < 1)) {
        throw new FormatError(
          place,
          `the background has ${JSON.stringify(`${fields[i]} ${fields[i + 1] ?? ""}`)}; expected ${"ACGT"[found.length] ?? "four frequencies"}`,
          "write each base with its frequency, between 0 and 1: A 0.25 C 0.25 G 0.25 T 0.25",
        );
      }
      found.push(value);
    }
    if (found.length < 4) return true;
    this.frequencies = undefined;
    checkSum(found, "the background", place);
    this.background = Float64Array.from(found);
    return true;
  }
}

function checkAlphabet(text: string, place: FieldPlace): void {
  const letters = /^ALPHABET\s*=\s*(\S*)/.exec(text)?.[1];
  if (letters === "ACGT" || /^ALPHABET\s+"?DNA/.test(text)) return;
  throw new FormatError(place, `the alphabet is ${JSON.stringify(text.slice(0, 40))}; expected ACGT`);
}

function probabilitiesOf(text: string, place: FieldPlace): readonly number[] {
  const fields = text.split(/\s+/);
  const values = fields.map(parseDecimal);
  if (values.length !== 4 || !values.every((value) => value >= 0 && value <= 1 + SUM_TOLERANCE)) {
    throw new FormatError(
      place,
      `${JSON.stringify(text.slice(0, 60))} is not a row of four probabilities`,
      "write one row per position with the columns A, C, G, T",
    );
  }
  checkSum(values, "the row", place);
  return values;
}

function checkSum(values: readonly number[], what: string, place: FieldPlace): void {
  const sum = values.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) <= SUM_TOLERANCE) return;
  throw new FormatError(
    place,
    `${what} sums to ${sum.toPrecision(3)}; expected 1`,
    "counts and log-odds are not supported",
  );
}
