import { join } from "node:path";
import { FormatError } from "../../base/errors.ts";
import { forEachTableRow, parseWholeNumber } from "../../base/table.ts";
import type { StoredResult } from "../../evaluation/runs/stored-results.ts";
import { readStrata } from "../../evaluation/strata/strata-file.ts";
import { PredictionColumns } from "../../evaluation/tasks/prediction-columns.ts";

/** Beginning of the names of strata among the facts. */
export const STRATA_PREFIX = "strata.";

/**
 * Predictions with the strata of `dart-eval strata` as further facts, `strata.gc`; unchanged without them.
 * @throws {FormatError} when strata.tsv is missing, or has other rows than the result
 */
export async function withStrata(
  stored: StoredResult,
  predictions: PredictionColumns,
): Promise<PredictionColumns> {
  const strata = await readStrata(stored);
  if (strata === undefined) return predictions;
  const file = join(stored.folder, "strata.tsv");
  const columns = strata.stratifications.map(({ name }) => ({
    name,
    codes: new Map<string, number>(),
    data: new Uint32Array(predictions.length),
  }));
  let at = 0;
  await forEachTableRow(file, ["idx", ...columns.map(({ name }) => name)], ({ fields, line }) => {
    const row = parseWholeNumber(fields[0], "idx", { file, line });
    if (row !== predictions.rows[at]) throw otherRows(file, line);
    for (const [c, { codes, data }] of columns.entries()) {
      const text = fields[c + 1];
      if (text === "") continue;
      const code = codes.get(text) ?? codes.size + 1;
      codes.set(text, code);
      data[at] = code;
    }
    at++;
  });
  if (at !== predictions.length) throw otherRows(file, at + 1);
  return new PredictionColumns(predictions.kind, predictions.length, [
    ...predictions.columns,
    ...columns.map(({ name, codes, data }) => ({
      name: `${STRATA_PREFIX}${name}`,
      of: "fact" as const,
      type: "uint32" as const,
      width: 1,
      texts: [...codes.keys()],
      data,
    })),
  ]);
}

const otherRows = (file: string, line: number) =>
  new FormatError({ file, line }, "these are not the rows of the result", "run dart-eval strata again");
