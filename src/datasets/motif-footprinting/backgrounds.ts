import { FormatError } from "../../base/errors.ts";
import { textLines } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";

/**
 * Backgrounds of a text file, one sequence per line, as DART-Eval's `raw_seqs_350.txt`; plain or compressed.
 * @throws {FormatError} naming the line when it has anything but A, C, G and T, or is of another length than the first
 */
export async function readBackgrounds(path: string): Promise<readonly string[]> {
  const backgrounds: string[] = [];
  for await (const { text, number } of textLines(path)) {
    const place = { file: path, line: number };
    if (text === "") continue;
    const other = /[^ACGT]/.exec(text);
    if (other !== null) {
      throw new FormatError(
        place,
        `letter ${other.index + 1} is ${JSON.stringify(other[0])}`,
        "expected is one sequence per line, of A, C, G and T in upper case",
      );
    }
    const first = backgrounds[0] ?? text;
    if (text.length !== first.length) {
      throw new FormatError(
        place,
        `the sequence has ${text.length} letters, and the first has ${first.length}`,
      );
    }
    backgrounds.push(text);
  }
  if (backgrounds.length > 0) return backgrounds;
  throw new FormatError({ file: path }, "there is no sequence in the file");
}

/** Writes backgrounds, one per line, whole or not at all. @throws {InputError} when it cannot be written */
export async function writeBackgrounds(path: string, backgrounds: readonly string[]): Promise<void> {
  await writeFileAtomic(path, `${backgrounds.join("\n")}\n`);
}
