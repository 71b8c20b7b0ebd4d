import type { z } from "zod";
import { InputError, InternalError } from "../../base/errors.ts";
import { issueText } from "../../base/json.ts";
import type { Protocol } from "../../models/model.ts";

export type RecipeValue = string | number | boolean | null;

/** Parameters of a setting by name. Predictions depend on them, the data, the model and the seed. */
export type Recipe = Readonly<Record<string, RecipeValue>>;

/** Recipe of one setting of a task, with the values that differ by protocol or family. */
export interface RecipeTable {
  /** The setting's parameters for this task; part of a run's identity. */
  readonly recipe: Recipe;
  /** Values that differ under a protocol. */
  readonly byProtocol?: Readonly<Partial<Record<Protocol, Recipe>>>;
  /** Values that differ for a family of models, by the family's name. */
  readonly byFamily?: Readonly<Record<string, Recipe>>;
  /** Exceptions for families, with the reason; they replace the values above. */
  readonly overrides?: readonly Override[];
  /**
   * Labels of the quirks that make the scores of the two protocols differ, in ascending order, with the
   * families concerned.
   */
  readonly scoreQuirks?: Readonly<Record<string, "all" | readonly string[]>>;
}

/** Recipe values of one model family, with the reason. */
export interface Override {
  readonly family: string;
  /** Default: both protocols. */
  readonly protocol?: Protocol;
  readonly change: Recipe;
  readonly because: string;
}

/** A recipe checked against a schema. @throws {InputError} naming the first invalid value */
export function readRecipe<T>(schema: z.ZodType<T>, recipe: Recipe): T {
  const parsed = schema.safeParse(recipe);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue.path.join(".");
  throw new InputError(
    `${name} of the recipe is ${JSON.stringify(recipe[name]) ?? "absent"}: ${issueText(issue)}`,
  );
}

/** The cell of a recipe. */
export interface RecipePlace {
  readonly task: string;
  readonly setting: string;
  /** The model's family: "caduceus"; undefined for a custom model. */
  readonly family: string | undefined;
  readonly protocol: Protocol;
}

/**
 * The recipe of one cell. Later values replace earlier ones: the setting's, the protocol's, the model
 * family's, the overrides' and the user's.
 *
 * @param custom  the user's values by name
 * @throws {InputError} when the recipe lacks a name, or has a value of another type
 */
export function recipeFor(table: RecipeTable, place: RecipePlace, custom: Recipe = {}): Recipe {
  const { task, setting, family, protocol } = place;
  const overrides = (table.overrides ?? []).filter(
    (one) => one.family === family && (one.protocol === undefined || one.protocol === protocol),
  );
  const written: Record<string, RecipeValue> = Object.assign(
    {},
    table.recipe,
    table.byProtocol?.[protocol],
    family === undefined ? undefined : table.byFamily?.[family],
    ...overrides.map(({ change }) => change),
  );
  for (const [name, value] of Object.entries(custom)) {
    if (!(name in written)) {
      throw new InputError(`the recipe of ${task} × ${setting} has no ${JSON.stringify(name)}`, {
        hint: `it has ${Object.keys(written).join(", ")}`,
      });
    }
    checkKind(name, written[name], value);
    written[name] = value;
  }
  return written;
}

/** Null is an unlimited number, so that it and a number may replace each other. */
function checkKind(name: string, own: RecipeValue, value: RecipeValue): void {
  const kind = (of: RecipeValue) => (of === null ? "number" : typeof of);
  if (kind(own) === kind(value)) return;
  throw new InputError(`${name} of the recipe is ${JSON.stringify(value)}; expected a ${kind(own)}`, {
    hint: `the default is ${JSON.stringify(own)}`,
  });
}

/**
 * Labels of the quirks that make the two protocols' scores differ.
 * @param family  undefined for a model without a family
 */
export const scoreQuirks = (
  { scoreQuirks: quirks = {} }: Pick<RecipeTable, "scoreQuirks">,
  family: string | undefined,
): readonly string[] =>
  Object.entries(quirks).flatMap(([label, families]) =>
    families === "all" || (family !== undefined && families.includes(family)) ? [label] : [],
  );

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
 * Recipe values from the command line: `epochs=2`, `order=file`, `trainRows=none`.
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
