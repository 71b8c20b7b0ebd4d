import { isEvaluated, type VariantRow, type VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

/** Spelling of labels in each form whose maker fixed it. */
const USUAL: Readonly<Partial<Record<VariantTable["form"], readonly string[]>>> = {
  caqtl: ["true", "false"],
  dsqtl: ["1", "-1"],
};

/** Labels in an unusual spelling, in two spellings at once, or of one class only. */
export function labelFindings(table: VariantTable): readonly Finding[] {
  const { rows, columns, labels, form } = table;
  if (columns.label === undefined) return [];
  const labelled = rows.filter(({ significant }) => significant !== undefined);
  if (labelled.length === 0) return [];
  const odd = oddSpelling([...labels.keys()], columns.label, form) ?? oneClass(labelled, columns.label);
  if (odd === undefined) return [];
  const { level, ...what } = odd;
  return [
    finding(level, "label-coding", labelled, what, ({ significant }) =>
      significant ? "; QTL" : "; control",
    ),
  ];
}

/** Evaluated variants that are neither QTLs nor controls, since their label is empty or NaN. */
export function missingLabelFindings({ rows, columns: { label } }: VariantTable): readonly Finding[] {
  if (label === undefined) return [];
  const evaluated = rows.filter(isEvaluated);
  const without = evaluated.filter(({ significant }) => significant === undefined);
  if (without.length === 0) return [];
  return [
    finding("warning", "missing-labels", without, {
      what: `${without.length} of ${evaluated.length} evaluated variants have no ${label}`,
      fix: `fill in ${label} where it is known: a variant without it is scored, but neither a QTL nor a control`,
    }),
  ];
}

type Odd = Pick<Finding, "level" | "what" | "fix">;

function oddSpelling(
  spellings: readonly string[],
  column: string,
  form: VariantTable["form"],
): Odd | undefined {
  const found = [...new Set(spellings.map((text) => text.toLowerCase().replace(/\.0$/, "")))].filter((text) =>
    /^(true|false|1|0|-1)$/.test(text),
  );
  const codings = [
    ["true", "false"],
    ["1", "0"],
    ["1", "-1"],
  ];
  const usual = USUAL[form];
  const shown = spellings.slice(0, 6).join(", ");
  if (!codings.some((coding) => found.every((text) => coding.includes(text)))) {
    return {
      level: "error",
      what: `${column} has two spellings at once: ${shown}`,
      fix: "write it in one way: True and False, 1 and 0, or 1 and -1",
    };
  }
  if (usual !== undefined && found.some((text) => !usual.includes(text))) {
    return {
      level: "warning",
      what: `${column} is written as ${shown}; tables of this form have ${usual.join(" and ")}`,
      fix: "nothing if it is read as meant; scripts that compare it with the usual values find no controls, or controls only",
    };
  }
  return undefined;
}

function oneClass(rows: readonly VariantRow[], label: string): Odd | undefined {
  const positives = rows.filter(({ significant }) => significant).length;
  if (positives > 0 && positives < rows.length) return undefined;
  return {
    level: "warning",
    what: `${label} makes all ${rows.length} variants ${positives > 0 ? "QTLs" : "controls"}`,
    fix: "check that this is the right column and the whole table: AUROC and AUPRC need both classes",
  };
}
