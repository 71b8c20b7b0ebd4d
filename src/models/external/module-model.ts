import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../../base/errors.ts";
import { checkIsFile } from "../../base/folder.ts";
import type { Model } from "../model.ts";

/** One of these is what a model is asked. */
const QUESTIONS = [
  "logLikelihood",
  "embed",
  "pool",
  "compareAlleles",
  "predictActivity",
  "fineTune",
  "network",
] as const satisfies readonly (keyof Model)[];

/**
 * The model that a JavaScript module exports as `default` or `model`: a user's own code, run as such.
 * @throws {InputError} when there is no such file, it throws while it is loaded, or it exports no model
 */
export async function importModel(file: string): Promise<Model> {
  await checkIsFile(file);
  const module = (await import(pathToFileURL(resolve(file)).href).catch((error) => {
    throw new InputError(`${file} cannot be loaded: ${String(error)}`, {
      hint: `node ${file} says where`,
      cause: error,
    });
  })) as { default?: unknown; model?: unknown };
  const model = (module.default ?? module.model) as Partial<Model> | undefined;
  if (typeof model?.name === "string" && QUESTIONS.some((question) => model[question] !== undefined)) {
    return model as Model;
  }
  throw new InputError(`${file} exports no model`, {
    hint: "export default { name, logLikelihood(sequences) { … } }, or embed(sequences), or predictActivity(sequences)",
  });
}
