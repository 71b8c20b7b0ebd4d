import type { z } from "zod";
import { InputError, InternalError } from "../../base/errors.ts";
import { issueText } from "../../base/json.ts";

export type RecipeValue = string | number | boolean | null;

/** Parameters of a setting by name. Predictions depend on them, the data, the model and the seed. */
export type Recipe = Readonly<Record<string, RecipeValue>>;

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
