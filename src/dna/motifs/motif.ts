import { FormatError } from "../../base/errors.ts";
import { textLines } from "../../base/text-lines.ts";

/** A binding motif: how often each letter stands at each of its positions. */
export interface Motif {
  /** As its collection calls it: "CTCF.H12CORE.0.P.B". */
  readonly name: string;
  /** Positions. */
  readonly width: number;
  /** [width, 4], row-major, letters A, C, G, T; each row sums to 1 up to rounding. */
  readonly probabilities: Float64Array;
  /** Sites it was made from; absent where the collection does not tell. */
  readonly sites?: number;
}

const LETTERS = "ACGT";

/** The most frequent letter of each position, the first in the order A, C, G, T among equals. */
export function consensus({ width, probabilities }: Motif): string {
  let letters = "";
  for (let position = 0; position < width; position++) {
    const row = probabilities.subarray(4 * position, 4 * position + 4);
    letters += LETTERS[row.indexOf(Math.max(...row))];
  }
  return letters;
}

/**
 * Families of transcription factors by motif, from a collection's annotation as HOCOMOCO gives it (`H12CORE_motifs.tsv`):
 * tab-separated, a header line, the columns `Motif` and `TF family` among others. A motif without a family is left out.
 *
 * @throws {FormatError} when one of the two columns is missing, a line is short, or a motif comes twice with two families
 */
export async function readMotifFamilies(path: string): Promise<ReadonlyMap<string, string>> {
  const families = new Map<string, string>();
  let motifColumn = -1;
  let familyColumn = -1;
  for await (const { text, number } of textLines(path)) {
    const place = { file: path, line: number };
    const fields = text.split("\t").map((field) => field.trim());
    if (motifColumn < 0) {
      motifColumn = columnOf(fields, "Motif", place);
      familyColumn = columnOf(fields, "TF family", place);
      continue;
    }
    if (text === "") continue;
    const motif = fields[motifColumn] ?? "";
    const family = fields[familyColumn];
    if (motif === "" || family === undefined) {
      throw new FormatError(place, `the line has ${fields.length} fields, without a motif and its family`);
    }
    if (family === "") continue;
    const before = families.get(motif);
    if (before !== undefined && before !== family) {
      throw new FormatError(place, `the motif ${motif} is of ${family}, and above of ${before}`);
    }
    families.set(motif, family);
  }
  if (families.size > 0) return families;
  throw new FormatError({ file: path }, "the annotation names no family");
}

function columnOf(header: readonly string[], name: string, place: { file: string; line: number }): number {
  const column = header.indexOf(name);
  if (column >= 0) return column;
  throw new FormatError(
    place,
    `there is no column ${JSON.stringify(name)} among ${JSON.stringify(header.slice(0, 12).join(", "))}`,
    "expected is the annotation of a motif collection, such as HOCOMOCO's H12CORE_motifs.tsv",
  );
}
