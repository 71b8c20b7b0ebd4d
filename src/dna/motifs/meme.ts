import { FormatError } from "../../base/errors.ts";
import { type FieldPlace, parseDecimal } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import type { Motif } from "./motif.ts";

/** A collection of motifs. */
export interface MotifCollection {
  /** In the order of the file. */
  readonly motifs: readonly Motif[];
  /** Frequencies of A, C, G, T that the file states for sequence around motifs; a quarter each where it states none. */
  readonly background: Float64Array;
}

/** A motif is a dozen letters, the longest known have some hundred. */
const WIDEST = 1000;

/** How far a row's sum may be from 1: files print few digits. */
const ROUNDING = 0.02;

/**
 * Motifs of a file in MEME's text format, minimal or full, plain or compressed. Numbers are kept as they stand, so
 * a row sums to 1 up to the file's rounding.
 *
 * Every motif is read, also one whose last row is the last line of the file (the original would lose it). Matrices of
 * log-odds are passed over. Positions and letters only: URL lines and the like are not kept.
 *
 * @throws {FormatError} naming the line when the alphabet is not DNA's, a matrix has not as many rows as it says or no
 *   four probabilities in one of them, a name comes twice, or there is no motif at all
 * @see https://meme-suite.org/meme/doc/meme-format.html
 */
export async function readMotifs(path: string): Promise<MotifCollection> {
  const reader = new MemeReader(path);
  for await (const { text, number } of textLines(path)) reader.line(text.trim(), number);
  return reader.finish();
}

/** A matrix that is being read. */
interface OpenMatrix {
  readonly name: string;
  readonly line: number;
  /** Rows that its header states. */
  readonly width: number | undefined;
  readonly sites: number | undefined;
  readonly values: number[];
}

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
    if (this.frequencies !== undefined && this.frequenciesGoOn(this.frequencies, text, place)) return;
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
      this.version ? "the file has no motif with a letter-probability matrix" : "this is no MEME file",
      'expected is MEME\'s text format: "MEME version 4", then MOTIF lines with a letter-probability matrix each',
    );
  }

  private motif(text: string, place: FieldPlace): void {
    const [, name] = text.split(/\s+/) as [string, string];
    const before = this.firstLine.get(name);
    if (before !== undefined) {
      throw new FormatError(place, `the motif ${name} was on line ${before} already`);
    }
    this.firstLine.set(name, place.line!);
    this.name = { text: name, line: place.line! };
  }

  private open(text: string, place: FieldPlace): void {
    if (this.name === undefined) {
      throw new FormatError(place, "this matrix has no MOTIF line of its own before it");
    }
    const field = (key: string) => new RegExp(`\\b${key}=\\s*(\\S+)`).exec(text)?.[1];
    const letters = field("alength");
    if (letters !== undefined && letters !== "4") {
      throw new FormatError(place, `the matrix has ${letters} letters; a motif of DNA has 4`);
    }
    const width = field("w");
    if (width !== undefined && !(/^\d+$/.test(width) && Number(width) >= 1 && Number(width) <= WIDEST)) {
      throw new FormatError(
        place,
        `the matrix has the width ${JSON.stringify(width)}; expected is 1 to ${WIDEST}`,
      );
    }
    const sites = parseDecimal(field("nsites") ?? "");
    this.matrix = {
      name: this.name.text,
      line: place.line!,
      width: width === undefined ? undefined : Number(width),
      sites: sites > 0 && Number.isFinite(sites) ? sites : undefined,
      values: [],
    };
    this.name = undefined;
  }

  /** Takes a row of the matrix; false, with the matrix closed, where the line is none. */
  private row(matrix: OpenMatrix, text: string, place: FieldPlace): boolean {
    const read = matrix.values.length / 4;
    const full = matrix.width !== undefined && read === matrix.width;
    if (!full && /^[-+.\d]/.test(text)) {
      matrix.values.push(...probabilitiesOf(text, place));
      if (read < WIDEST) return true;
      throw new FormatError(place, `the motif ${matrix.name} has more than ${WIDEST} rows`);
    }
    this.close(matrix);
    return false;
  }

  private close({ name, line, width, sites, values }: OpenMatrix): void {
    const rows = values.length / 4;
    if (rows === 0 || (width !== undefined && rows !== width)) {
      throw new FormatError(
        { file: this.file, line },
        `the matrix of ${name} has ${rows} rows${width === undefined ? "" : `, and says that it has ${width}`}`,
        "is the file cut off?",
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

  /** `A 0.25 C 0.25` and so on, over one line or several. */
  private frequenciesGoOn(found: number[], text: string, place: FieldPlace): boolean {
    const fields = text === "" ? [] : text.split(/\s+/);
    const isPairs = fields.length > 0 && fields.every((field, i) => i % 2 === 1 || /^[ACGT]$/i.test(field));
    if (!isPairs) {
      this.frequencies = undefined;
      if (found.length === 4) return false;
      throw new FormatError(
        place,
        `the background has ${found.length} frequencies; expected are those of A, C, G and T`,
      );
    }
    for (let i = 0; i < fields.length; i += 2) {
      const value = parseDecimal(fields[i + 1] ?? "");
      if (fields[i].toUpperCase() !== "ACGT"[found.length] || !(value > 0 && value < 1)) {
        throw new FormatError(
          place,
          `the background has ${JSON.stringify(`${fields[i]} ${fields[i + 1] ?? ""}`)} where ${"ACGT"[found.length] ?? "nothing"} comes`,
          "each letter is followed by its frequency, between 0 and 1: A 0.25 C 0.25 G 0.25 T 0.25",
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
  throw new FormatError(place, `the alphabet is ${JSON.stringify(text.slice(0, 40))}; expected is ACGT`);
}

function probabilitiesOf(text: string, place: FieldPlace): readonly number[] {
  const fields = text.split(/\s+/);
  const values = fields.map(parseDecimal);
  if (values.length !== 4 || !values.every((value) => value >= 0 && value <= 1 + ROUNDING)) {
    throw new FormatError(
      place,
      `${JSON.stringify(text.slice(0, 60))} is not a row of four probabilities`,
      "one row per position, the letters in the order A, C, G, T",
    );
  }
  checkSum(values, "the row", place);
  return values;
}

function checkSum(values: readonly number[], what: string, place: FieldPlace): void {
  const sum = values.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) <= ROUNDING) return;
  throw new FormatError(
    place,
    `${what} sums to ${sum.toPrecision(3)}; expected is 1`,
    "counts and log-odds are no probabilities",
  );
}
