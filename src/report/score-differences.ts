import { join } from "node:path";
import { FormatError } from "../base/errors.ts";
import { forEachLine } from "../base/text-lines.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";

/**
 * Element minus control of every row, read from a merged cell's `scores.tsv`.
 *
 * @returns  in the file's order; undefined when the table has no pair of scores
 * @throws {FormatError} naming file and line when a score is not a number
 */
export async function scoreDifferences({ folder, result }: StoredResult): Promise<Float64Array | undefined> {
  if (!("median_diff" in result.published)) return undefined;
  const file = join(folder, "scores.tsv");
  const differences: number[] = [];
  let element = -1;
  let control = -1;
  await forEachLine(file, (text, line) => {
    const cells = text.split("\t");
    if (line === 1) {
      element = cells.indexOf("seq_score");
      control = cells.indexOf("ctrl_score");
      if (element < 0 || control < 0) {
        throw new FormatError(
          { file, line },
          `expected columns seq_score and ctrl_score, came ${JSON.stringify(text)}`,
        );
      }
      return;
    }
    const difference = Number(cells[element]) - Number(cells[control]);
    if (!Number.isFinite(difference)) {
      throw new FormatError(
        { file, line },
        `expected two scores, came ${JSON.stringify(text)}`,
        "Run dart-eval merge again.",
      );
    }
    differences.push(difference);
  });
  return Float64Array.from(differences);
}
