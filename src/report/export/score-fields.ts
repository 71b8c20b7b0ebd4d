import type { CustomForms } from "../../evaluation/runs/forms.ts";
import { findTask } from "../../evaluation/runs/forms.ts";
import type { PredictionColumnForm } from "../../evaluation/tasks/column.ts";
import type { Prediction } from "../../evaluation/tasks/prediction.ts";
import type { FieldType } from "./field-table.ts";

/** A field made of a column of predictions. */
export interface ScoreField {
  /** Name within its cell: `element.log_likelihood`. */
  readonly name: string;
  readonly type: FieldType;
  /** Noun phrase for the table of columns. */
  readonly what: string;
  /** 0-based number of the value in the column's row; undefined: all of them, as a vector. */
  readonly at: number | undefined;
}

const QUANTITIES: Readonly<
  Record<Exclude<Prediction["kind"], "logits" | "vector">, readonly [string, string]>
> = {
  likelihood: ["log_likelihood", "log-likelihood of the {member}, nats"],
  activity: ["log_counts", "predicted log(1 + counts) of the {member}, nats"],
  distance: ["distance", "cosine distance of the {member} to the first sequence of the row"],
};

/**
 * Fields of one column of predictions, other than row numbers and facts.
 *
 * @param task  name of the task, which names the sequences of a row
 */
export function scoreFields(
  kind: Prediction["kind"],
  { name, width }: Pick<PredictionColumnForm, "name" | "width">,
  task: string,
  forms?: CustomForms,
): ScoreField[] {
  const members = findTask(task, forms)?.members ?? [];
  const memberOf = (i: number) => (members[i] ?? `sequence ${i + 1}`).replaceAll(" ", "");
  const perMember = (first: number, suffix: string, type: FieldType, what: string) =>
    Array.from({ length: width }, (_, i): ScoreField => {
      const member = memberOf(first + i);
      return { name: `${member}.${suffix}`, type, what: what.replace("{member}", member), at: i };
    });
  const [, way = "", member] = /^(?:(.+) )?member (\d+)$/.exec(name) ?? [];
  if (kind === "logits") {
    const of = memberOf(Number(member));
    return Array.from({ length: width }, (_, k) => ({
      name: `${of}.logit${k}`,
      type: "number",
      what: `logit of class ${k} for the ${of}`,
      at: k,
    }));
  }
  if (kind === "vector") {
    const of = memberOf(Number(member));
    const [suffix, order] = way === "" ? ["", ""] : [`.${way}`, `, ${way}`];
    return [
      {
        name: `${of}.embedding${suffix}`,
        type: "vector",
        what: `pooled embedding of the ${of}${order}`,
        at: undefined,
      },
    ];
  }
  const [quantity, what] = QUANTITIES[kind];
  const first = kind === "distance" ? 1 : 0;
  if (name === "tokens")
    return perMember(0, "tokens", "integer", "tokens of the {member}, special ones included");
  return name === "values"
    ? perMember(first, quantity, "number", what)
    : perMember(first, `${quantity}.${name}`, "number", `${what}, ${name}`);
}
