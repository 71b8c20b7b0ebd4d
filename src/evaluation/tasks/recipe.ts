import { InputError, InternalError } from "../../base/errors.ts";
import type { Protocol } from "../../models/model.ts";
import { deviations } from "./deviations.ts";
import type { TaskSetting } from "./task.ts";

export type RecipeValue = string | number | boolean | null;

/** Parameters of a setting by name: what a trained answer depends on beside data, model and seed. */
export type Recipe = Readonly<Record<string, RecipeValue>>;

/** Which cell a recipe is for. */
export interface RecipePlace {
  readonly task: string;
  readonly setting: string;
  /** The model's family: "caduceus"; undefined for a model of one's own. */
  readonly family: string | undefined;
  readonly protocol: Protocol;
}

/**
 * The recipe of one cell: the setting's own values, then those of the protocol, of the model's family, of every deviation
 * that names the cell (or the task whose rows train for it), and last those that a user asked for.
 *
 * @param asked  values by name, in place of the recipe's; a name it does not have is refused
 * @throws {InputError} when a name is unknown to this setting, or a value is of another kind than the recipe's
 */
export function recipeFor(form: TaskSetting, place: RecipePlace, asked: Recipe = {}): Recipe {
  const { task, setting, family, protocol } = place;
  const rows = deviations.filter(
    (row) =>
      (row.task === task || row.task === form.trainedBy) &&
      row.setting === setting &&
      row.family === family &&
      (row.protocol === undefined || row.protocol === protocol),
  );
  const written = Object.assign(
    {},
    form.recipe,
    form.byProtocol?.[protocol],
    family === undefined ? undefined : form.byFamily?.[family],
    ...rows.map(({ change }) => change),
  ) as Record<string, RecipeValue>;
  for (const [name, value] of Object.entries(asked)) {
    if (!(name in written)) {
      throw new InputError(`the recipe of ${task} × ${setting} has no ${JSON.stringify(name)}`, {
        hint: `it has ${Object.keys(written).join(", ")}`,
      });
    }
    checkKind(name, written[name]!, value);
    written[name] = value;
  }
  return written;
}

/** Null stands for a number that is not limited, so it and a number may take each other's place. */
function checkKind(name: string, own: RecipeValue, value: RecipeValue): void {
  const kind = (of: RecipeValue) => (of === null ? "number" : typeof of);
  if (kind(own) === kind(value)) return;
  throw new InputError(`${name} of the recipe is ${JSON.stringify(value)}; a ${kind(own)} is expected`, {
    hint: `its own value is ${JSON.stringify(own)}`,
  });
}

/**
 * A count of the recipe, such as `batchSize`.
 * @throws {InternalError} when the recipe has no such number
 */
export function recipeCount({ recipe }: { readonly recipe: Recipe }, name: string): number {
  const value = recipe[name];
  if (typeof value === "number") return value;
  throw new InternalError(`the recipe has no ${name}`);
}

/**
 * Recipe values as a person types them: `epochs=2`, `order=file`, `trainRows=none`.
 *
 * @returns  numbers, true and false, null for `none`, else text
 * @throws {InputError} when a text is not `name=value`, or names a value twice
 */
export function parseRecipe(texts: readonly string[]): Recipe {
  const recipe: Record<string, RecipeValue> = {};
  for (const text of texts) {
    const [, name, value] = /^\s*([A-Za-z]\w*)\s*=\s*(\S+)\s*$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new InputError(`${JSON.stringify(text)} is not a value of a recipe`, {
        hint: "write name=value, for example epochs=2",
      });
    }
    if (name in recipe) throw new InputError(`the recipe's ${name} is given twice`);
    recipe[name] = parsedValue(value);
  }
  return recipe;
}

function parsedValue(text: string): RecipeValue {
  if (text === "none") return null;
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}
