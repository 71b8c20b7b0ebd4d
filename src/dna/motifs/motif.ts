import { FormatError } from "../../base/errors.ts";
import { textLines } from "../../base/text-lines.ts";
import { BASES } from "../sequence/encoding.ts";

/** A binding motif: base probabilities at each position. */
export interface Motif {
  /** Name in its collection, such as "CTCF.H12CORE.0.P.B". */
  readonly name: string;
  /** Number of positions. */
  readonly width: number;
  /** [width, 4], row-major, columns A, C, G, T; each row sums to 1 up to rounding. */
  readonly probabilities: Float64Array;
  /** Number of sites behind the motif, if the collection states it. */
  readonly sites?: number;
}

/** Most probable base of each position; ties go to the first in the order A, C, G, T. */
export function consensus({ width, probabilities }: Motif): string {
  let letters = "";
  for (let position = 0; position < width; position++) {
    const row = probabilities.subarray(4 * position, 4 * position + 4);
    letters += BASES[row.indexOf(Math.max(...row))];
  }
  return letters;
}

/**
 * Transcription factor family of each motif, from the annotation table of a collection such as HOCOMOCO
 * (`H12CORE_motifs.tsv`): tab-separated, with the columns `Motif` and `TF family`. Omits motifs without a
 * family.
 *
 * @throws {FormatError} when a column is missing, a line is too short, or a motif has two families
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
      throw new FormatError(place, `the line has ${fields.length} fields and lacks a motif or its family`);
    }
    if (family === "") continue;
    const before = families.get(motif);
    if (before !== undefined && before !== family) {
      throw new FormatError(place, `the motif ${motif} has the family ${family} here and ${before} above`);
    }
    families.set(motif, family);
  }
  if (families.size > 0) return families;
  throw new FormatError({ file: path }, "the annotation has no families");
}

function columnOf(header: readonly string[], name: string, place: { file: string; line: number }): number {
  const column = header.indexOf(name);
  if (column >= 0) return column;
  throw new FormatError(
    place,
    `there is no column ${JSON.stringify(name)} among ${JSON.stringify(header.slice(0, 12).join(", "))}`,
    "expected the annotation table of a motif collection, such as HOCOMOCO's H12CORE_motifs.tsv",
  );
}
