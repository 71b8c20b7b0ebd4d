import { join } from "node:path";
import { FormatError } from "../base/errors.ts";
import { forEachLine } from "../base/text-lines.ts";
import type { StoredResult } from "../evaluation/runs/result.ts";

/**
 * Element minus control of every row, read from a merged cell's `scores.tsv`; 0 where the result counts the two as a tie.
 *
 * @returns  in the file's order; undefined when the table has no pair of scores
 * @throws {FormatError} naming file and line when a score is not a number
 */
export async function scoreDifferences({ folder, result }: StoredResult): Promise<Float64Array | undefined> {
  if (!("median_diff" in result.published)) return undefined;
  const file = join(folder, "scores.tsv");
  const { rounding = 0 } = result.ties ?? {};
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
    const [first, second] = [Number(cells[element]), Number(cells[control])];
    const difference = first - second;
    if (!Number.isFinite(difference)) {
      throw new FormatError(
        { file, line },
        `expected two scores, came ${JSON.stringify(text)}`,
        "Run dart-eval merge again.",
      );
    }
    const tie = Math.abs(difference) <= rounding * (Math.abs(first) + Math.abs(second));
    differences.push(tie ? 0 : difference);
  });
  return Float64Array.from(differences);
}
