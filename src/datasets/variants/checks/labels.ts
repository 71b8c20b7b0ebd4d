import { median } from "../../../metrics/quantiles.ts";
import { hasEffect, hasP, isEvaluated, type VariantRow, type VariantTable } from "../table.ts";
import { type Finding, finding, isMoreThan } from "./finding.ts";

/** Spelling of labels in the published forms. */
const USUAL: Readonly<Partial<Record<VariantTable["form"], readonly string[]>>> = {
  caqtl: ["true", "false"],
  dsqtl: ["1", "-1"],
};

/** Finding for labels in an unusual spelling, in two spellings at once, or of one class only. */
export function labelFindings(table: VariantTable): readonly Finding[] {
  const { rows, columns, labels, form } = table;
  if (columns.label === undefined) return [];
  const labelled = rows.filter(({ significant }) => significant !== undefined);
  if (labelled.length === 0) return [];
  const odd = unusualSpelling([...labels.keys()], columns.label, form) ?? oneClass(labelled, columns.label);
  if (odd === undefined) return [];
  const { level, ...what } = odd;
  return [
    finding(level, "label-coding", labelled, what, ({ significant }) =>
      significant ? "; QTL" : "; control",
    ),
  ];
}

/** Finding for evaluated variants without a label, which are neither QTLs nor controls. */
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

type LabelProblem = Pick<Finding, "level" | "what" | "fix">;

function unusualSpelling(
  spellings: readonly string[],
  column: string,
  form: VariantTable["form"],
): LabelProblem | undefined {
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
      what: `${column} mixes two spellings: ${shown}`,
      fix: "use one spelling: True and False, 1 and 0, or 1 and -1",
    };
  }
  if (usual !== undefined && found.some((text) => !usual.includes(text))) {
    return {
      level: "warning",
      what: `${column} is ${shown}; tables of this form have ${usual.join(" and ")}`,
      fix: "no action needed for dart-eval, which reads both; scripts that compare with the usual values find no controls, or controls only",
    };
  }
  return undefined;
}

function oneClass(rows: readonly VariantRow[], label: string): LabelProblem | undefined {
  const positives = rows.filter(({ significant }) => significant).length;
  if (positives > 0 && positives < rows.length) return undefined;
  return {
    level: "warning",
    what: `${label} makes all ${rows.length} variants ${positives > 0 ? "QTLs" : "controls"}`,
    fix: "check that this is the right column and the whole table: AUROC and AUPRC need both classes",
  };
}

/** Fewest rows of a class for a median. */
const ENOUGH = 5;
/** Largest share of rows with p beyond the median of the other class in a table without faults. */
const CONTRADICTORY = 0.01;
/** Least share of QTLs beyond the controls' median if the whole label is inverted. */
const INVERTED = 0.9;
/**
 * Half of the rows with wrong labels have an effect below the controls' median, but fewer QTLs with wrong
 * p-values.
 */
const SMALL_EFFECTS = 0.25;

/**
 * Findings for labels that contradict p-values, and for p-values outside of 0 to 1.
 *
 * A QTL with p at or above the controls' median, or a control with p at or below the QTLs' median,
 * contradicts its label. More than 1 % of a class (exact binomial test, p below 1e-4) is a fault: of the
 * p-values if these QTLs have effects like other QTLs, else of the labels. In tables without p-values that
 * give effects of QTLs only, such as the Yoruban dsQTLs, controls with an effect show wrong labels.
 */
export function labelErrorFindings(table: VariantTable): readonly Finding[] {
  const { label, p } = table.columns;
  const outside = table.rows.filter((row) => row.p !== undefined && (row.p < 0 || row.p > 1));
  const remark = (row: VariantRow) =>
    `; ${row.significant === undefined ? "no label" : row.significant ? "QTL" : "control"}${row.p === undefined ? "" : `, p ${row.p}`}`;
  if (outside.length > 0) {
    return [
      finding(
        "error",
        "p-values",
        outside,
        {
          what: `${outside.length} of ${table.rows.length} values of ${p} are not between 0 and 1`,
          fix: "convert them to p-values: they may be −log10 p or a test statistic",
        },
        remark,
      ),
    ];
  }
  const rows = table.rows.filter((row) => row.significant !== undefined && isEvaluated(row));
  if (label === undefined) return [];
  return p === undefined ? byEffects(rows, table.columns, remark) : byP(rows, table.columns, remark);
}

type Columns = VariantTable["columns"];
type Remark = (row: VariantRow) => string;

function byP(rows: readonly VariantRow[], { label, p, effect }: Columns, remark: Remark): readonly Finding[] {
  const known = rows.filter(hasP);
  const qtls = known.filter(({ significant }) => significant);
  const controls = known.filter(({ significant }) => !significant);
  if (qtls.length < ENOUGH || controls.length < ENOUGH) return [];
  const medianOf = (some: typeof known) => median(some.map((row) => row.p));
  const [ofQtls, ofControls] = [medianOf(qtls), medianOf(controls)];
  const weak = qtls.filter((row) => row.p >= ofControls);
  const strong = controls.filter((row) => row.p <= ofQtls);
  if (ofQtls > ofControls && weak.length >= INVERTED * qtls.length) {
    return [
      finding(
        "error",
        "label-coding",
        rows,
        {
          what: `${label} is inverted: its QTLs have larger ${p} than its controls`,
          fix: "exchange the two values of the label",
        },
        remark,
      ),
    ];
  }
  if (
    !isMoreThan(weak.length, qtls.length, CONTRADICTORY) &&
    !isMoreThan(strong.length, controls.length, CONTRADICTORY)
  ) {
    return [];
  }
  const contradictory = [...weak, ...strong].sort((a, b) => a.index - b.index);
  const what = `${weak.length} of ${qtls.length} QTLs have ${p} like a control (at least ${ofControls.toPrecision(2)}), and ${strong.length} of ${controls.length} controls like a QTL (at most ${ofQtls.toPrecision(2)})`;
  if (effect !== undefined && haveEffectsOfQtls(weak, controls)) {
    return [
      finding(
        "error",
        "p-values",
        contradictory,
        {
          what: `${what}, while effects agree with ${label}: the p-values are wrong or belong to other rows`,
          fix: `take ${p} from its source again, joined by chromosome, position and both alleles`,
        },
        remark,
      ),
    ];
  }
  return [
    finding(
      "error",
      "label-errors",
      contradictory,
      {
        what: `${what}: ${label} is wrong in these rows${effect === undefined ? `, or ${p} is` : ""}, and in as many again whose p lies on the other side of the median`,
        fix: `take ${label} from its source again, or derive it from ${p}`,
      },
      remark,
    ),
  ];
}

/** True if QTLs with a large p have larger effects than controls; false if effects are unknown. */
function haveEffectsOfQtls(weak: readonly VariantRow[], controls: readonly VariantRow[]): boolean {
  const sizes = (rows: readonly VariantRow[]) => rows.filter(hasEffect).map(({ effect }) => Math.abs(effect));
  const [ofWeak, ofControls] = [sizes(weak), sizes(controls)];
  if (ofWeak.length < ENOUGH || ofControls.length < ENOUGH) return false;
  const limit = median(ofControls);
  return ofWeak.filter((size) => size < limit).length < SMALL_EFFECTS * ofWeak.length;
}

function byEffects(
  rows: readonly VariantRow[],
  { label, effect }: Columns,
  remark: Remark,
): readonly Finding[] {
  if (effect === undefined) return [];
  const known = rows.filter((row) => Number.isFinite(row.effect));
  const controls = rows.filter(({ significant }) => !significant);
  const wrong = known.filter(({ significant }) => !significant);
  // If most controls have an effect, effects do not identify QTLs.
  if (wrong.length > controls.length / 2 || known.length === 0) return [];
  if (!isMoreThan(wrong.length, known.length, CONTRADICTORY)) return [];
  const without = rows.filter((row) => row.significant && !Number.isFinite(row.effect));
  const both = [...wrong, ...without].sort((a, b) => a.index - b.index);
  return [
    finding(
      "error",
      "label-errors",
      both,
      {
        what: `${wrong.length} of the ${known.length} variants with ${effect} are controls, and ${without.length} QTLs have none, in a table that gives it for QTLs only: ${label} is wrong in these rows`,
        fix: `take ${label} from its source again`,
      },
      remark,
    ),
  ];
}
