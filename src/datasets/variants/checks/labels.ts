import { isEvaluated, type VariantRow, type VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

/** How many rows of either class a comparison of them needs. */
const ENOUGH = 5;

/** How labels are written in each form whose maker fixed it. */
const USUAL: Readonly<Partial<Record<VariantTable["form"], readonly string[]>>> = {
  caqtl: ["true", "false"],
  dsqtl: ["1", "-1"],
};

/** Labels written otherwise than the form has them, in two ways at once, of one class alone, or the wrong way round. */
export function labelFindings(table: VariantTable): readonly Finding[] {
  const { rows, columns, labels, form } = table;
  if (columns.label === undefined) return [];
  const labelled = rows.filter(({ significant }) => significant !== undefined);
  if (labelled.length === 0) return [];
  const what = oddLabels([...labels.keys()], columns.label, form) ?? oddClasses(labelled, columns);
  if (what === undefined) return [];
  return [
    finding("label-coding", labelled, what, ({ significant }) => (significant ? "; QTL" : "; control")),
  ];
}

/** Variants that should be evaluated and are neither QTLs nor controls, since their label is empty or NaN. */
export function missingLabelFindings({ rows, columns: { label } }: VariantTable): readonly Finding[] {
  if (label === undefined) return [];
  const asked = rows.filter(isEvaluated);
  const without = asked.filter(({ significant }) => significant === undefined);
  if (without.length === 0) return [];
  return [
    finding("missing-labels", without, {
      what: `${without.length} of ${asked.length} variants that are to be evaluated have no ${label}`,
      fix: `fill in ${label} where it is known: without it a variant is scored and counts neither as a QTL nor as a control`,
    }),
  ];
}

function oddLabels(spellings: readonly string[], column: string, form: VariantTable["form"]) {
  const found = [...new Set(spellings.map((text) => text.toLowerCase().replace(/\.0$/, "")))].filter((text) =>
    /^(true|false|1|0|-1)$/.test(text),
  );
  const codings = [["true", "false"], ["1", "0"], ["1", "-1"]]; // biome-ignore format: three codings
  const usual = USUAL[form];
  const shown = spellings.slice(0, 6).join(", ");
  if (!codings.some((coding) => found.every((text) => coding.includes(text)))) {
    return {
      what: `${column} is written in two ways at once: ${shown}`,
      fix: "write it in one way: True and False, 1 and 0, or 1 and -1",
    };
  }
  if (usual !== undefined && found.some((text) => !usual.includes(text))) {
    return {
      what: `${column} is written as ${shown}; tables of this form have ${usual.join(" and ")}`,
      fix: "nothing here, where it is read as meant; but scripts that compare it with the usual values find no controls, or none but controls",
    };
  }
  return undefined;
}

function oddClasses(rows: readonly VariantRow[], { label, p }: VariantTable["columns"]) {
  const positives = rows.filter(({ significant }) => significant);
  const controls = rows.filter(({ significant }) => !significant);
  if (positives.length === 0 || controls.length === 0) {
    return {
      what: `${label} makes all ${rows.length} variants ${controls.length === 0 ? "QTLs" : "controls"}`,
      fix: "without both there is nothing to tell apart: is this the right column, and the whole table?",
    };
  }
  const median = (of: readonly VariantRow[]) => {
    const values = of.flatMap((row) => (Number.isFinite(row.p) ? [row.p!] : [])).sort((a, b) => a - b);
    return values.length < ENOUGH ? Number.NaN : values[values.length >> 1]!;
  };
  if (median(positives) > median(controls)) {
    return {
      what: `${label} is the wrong way round: those it calls QTLs have larger ${p} than its controls`,
      fix: "exchange the two values of the label",
    };
  }
  return undefined;
}
