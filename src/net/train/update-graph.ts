import {
  add,
  cast,
  concat,
  constant,
  fill,
  gather,
  greater,
  input,
  mul,
  reshape,
  where,
} from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import { type AdamSettings, adamStep } from "./adam.ts";
import type { FlatParameters, StateName } from "./flat-parameters.ts";

/** Input of a program with a vector of the training state. */
export const stateInput = (name: StateName) => `flat ${name}`;

/**
 * New vectors of a training state after a run, by name. The inputs besides the vectors are the scalars
 * `stepSize` and `secondScale` of Adam, or a vector of each with a value per group, and with accumulation
 * `due`, whether an optimiser step is due; while it is not, the gradient is added to the sum.
 *
 * @param gradient  [values]
 * @param used      whether the batch used the parameters of each group from 1 on
 */
export function updateGraph(
  flat: FlatParameters,
  gradient: Sym,
  settings: AdamSettings,
  used: readonly Sym[] = flat.conditions,
): Readonly<Partial<Record<StateName, Sym>>> {
  const groups = used.length + 1;
  const given = (name: StateName) => input(stateInput(name), "float32", [flat.length]);
  const old = { parameter: given("parameter"), m: given("m"), v: given("v") };
  if (!flat.names.includes("sum")) {
    const scalars = {
      stepSize: input("stepSize", "float32", []),
      secondScale: input("secondScale", "float32", []),
    };
    return adamStep(old, gradient, settings, scalars);
  }
  const due = input("due", "bool", []);
  const total = add(given("sum"), gradient);
  const sum = where(due, fill([flat.length], 0), total);
  if (used.length === 0) {
    const scalars = {
      stepSize: input("stepSize", "float32", []),
      secondScale: input("secondScale", "float32", []),
    };
    const next = adamStep(old, total, settings, scalars);
    return { ...chosen(due, next, old), sum };
  }
  const groupOf = constant(flat.groupOfValues());
  const perGroup = (name: string) => input(name, "float32", [groups]);
  const perValue = (of: Sym) => gather(of, groupOf, 0);
  const next = adamStep(old, total, settings, {
    stepSize: perValue(perGroup("stepSize")),
    secondScale: perValue(perGroup("secondScale")),
  });
  // The first group is used by every batch.
  const now = concat([fill([1], 1), ...used.map((each) => reshape(cast(each, "float32"), [1]))], 0);
  const ever = cast(greater(add(perGroup(stateInput("reached")), now), 0), "float32");
  const stepping = mul(ever, cast(due, "float32"));
  return {
    ...chosen(greater(perValue(stepping), 0), next, old),
    sum,
    reached: where(due, fill([groups], 0), ever),
    steps: add(perGroup(stateInput("steps")), stepping),
  };
}

type Values = Readonly<Record<"parameter" | "m" | "v", Sym>>;

const chosen = (condition: Sym, next: Values, old: Values): Values => ({
  parameter: where(condition, next.parameter, old.parameter),
  m: where(condition, next.m, old.m),
  v: where(condition, next.v, old.v),
});
