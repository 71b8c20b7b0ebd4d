import type { StoredResult } from "../runs/result.ts";
import type { DifferingField } from "./comparison.ts";

/** A result with the label of its model. */
interface LabelledResult {
  readonly label: string;
  readonly stored: StoredResult;
}

/** Fields that differ between results of one group, other than the model itself. */
export function differingFields(results: readonly LabelledResult[]): readonly DifferingField[] {
  const fields = results.map(({ stored }) => fieldsOf(stored));
  const names = [...new Set(fields.flatMap((found) => [...found.keys()]))];
  return names.flatMap((field) => {
    const values = fields.map((found) => found.get(field) ?? "none");
    if (new Set(values).size < 2) return [];
    return [{ field, values: Object.fromEntries(results.map(({ label }, i) => [label, values[i]])) }];
  });
}

/** Everything that a cell's result depends on besides its data and model, as text by dotted name. */
function fieldsOf({ result, timing }: StoredResult): Map<string, string> {
  const { cell, rows } = result;
  const trainingData = Object.entries(cell.data).filter(([name]) => name.includes(" "));
  return new Map([
    ["split", cell.split],
    ["rows", String(rows.selected)],
    ["rows.digest", rows.digest],
    ...Object.entries(cell.recipe).map(([name, value]) => [`recipe.${name}`, String(value)] as const),
    ...(cell.weights === undefined ? [] : [["weights", cell.weights] as const]),
    ...trainingData.map(([name, digest]) => [`data.${name}`, digest] as const),
    ["program", [...new Set(timing.map(({ toolkit }) => toolkit))].join(", ")],
  ]);
}
