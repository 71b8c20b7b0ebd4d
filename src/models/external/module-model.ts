import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../../base/errors.ts";
import { checkIsFile } from "../../base/folder.ts";
import type { Model } from "../model.ts";

/** One of these is what a model is asked. */
const QUERIES = [
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
 *
 * What its methods throw, and a promise of theirs that can no longer be settled, is an `InputError` that names the model.
 *
 * @throws {InputError} when there is no such file, it throws or never settles while it is loaded, or it exports no model
 */
export async function importModel(file: string): Promise<Model> {
  await checkIsFile(file);
  const module: { default?: unknown; model?: unknown } = await settled(
    import(pathToFileURL(resolve(file)).href).catch((error) => {
      throw new InputError(`${file} cannot be loaded: ${String(error)}`, {
        hint: `node ${file} says where`,
        cause: error,
      });
    }),
    () => new InputError(`${file} cannot be loaded: it awaits a promise that never settles`),
  );
  const model = (module.default ?? module.model) as Partial<Model> | undefined;
  if (typeof model?.name === "string" && QUERIES.some((question) => model[question] !== undefined)) {
    return guarded(model as Model, { file, name: model.name });
  }
  throw new InputError(`${file} exports no model`, {
    hint: "export default { name, logLikelihood(sequences) { … } }, or embed(sequences), or predictActivity(sequences)",
  });
}

interface Named {
  readonly file: string;
  readonly name: string;
}

/** An object of a user whose methods fail with its name. What `fineTune` gives is guarded in the same way. */
function guarded<T extends object>(object: T, model: Named): T {
  // Its target is not the object itself: of a frozen one a proxy must give the methods as they are.
  return new Proxy(Object.create(object), {
    get(_, key) {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]) => {
        const failed = (cause: unknown) => (isStop(cause, args) ? cause : failure(model, key, cause));
        try {
          const result: unknown = Reflect.apply(value, object, args);
          if (!isThenable(result)) return result;
          const answer = settled(result, () => neverSettles(model, key)).catch((cause) => {
            throw failed(cause);
          });
          return key === "fineTune" ? answer.then((tuning) => guarded(tuning, model)) : answer;
        } catch (cause) {
          throw failed(cause);
        }
      };
    },
  });
}

const isThenable = (value: unknown): value is PromiseLike<object> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";

/** Whether an error is how a method was asked to stop, or says already what the user can mend. */
function isStop(cause: unknown, args: readonly unknown[]): boolean {
  const stopped = args.some(
    (arg) =>
      typeof arg === "object" &&
      arg !== null &&
      "signal" in arg &&
      arg.signal instanceof AbortSignal &&
      arg.signal.aborted,
  );
  return stopped || cause instanceof InputError;
}

const failure = ({ file, name }: Named, key: string | symbol, cause: unknown) =>
  new InputError(`the model ${name} failed in ${String(key)}: ${reasonOf(cause)}`, {
    place: { file },
    hint: "--verbose prints where",
    cause,
  });

const reasonOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));

const neverSettles = ({ file, name }: Named, key: string | symbol) =>
  new InputError(
    `the model ${name} gave no answer: its ${String(key)} returned a promise that never settles`,
    {
      place: { file },
      hint: "is resolve called, and every promise inside awaited?",
    },
  );

/** The promise's value; an error when the process has nothing left to do that could settle it. */
async function settled<T>(promise: PromiseLike<T>, never: () => InputError): Promise<T> {
  let idle = () => {};
  const stuck = new Promise<never>((_, reject) => {
    idle = () => reject(never());
  });
  process.once("beforeExit", idle);
  try {
    return await Promise.race([promise, stuck]);
  } finally {
    process.off("beforeExit", idle);
  }
}
