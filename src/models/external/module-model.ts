import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError, reasonOf } from "../../base/errors.ts";
import { checkIsFile } from "../../base/folder.ts";
import type { Model } from "../model.ts";

/** Members of `Model`; a module's model must have at least one of them. */
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
 * Loads the model that a JavaScript or TypeScript module exports as `default` or `model`. The module is
 * executed.
 *
 * An error thrown by a method, and a promise that can no longer settle, becomes an `InputError` that names
 * the model.
 *
 * @throws {InputError} when there is no such file, it throws or never settles while loading, or it exports no
 *   model
 */
export async function importModel(file: string): Promise<Model> {
  await checkIsFile(file);
  const module: { default?: unknown; model?: unknown } = await settled(
    import(pathToFileURL(resolve(file)).href).catch((error: unknown) => {
      throw importFailure(file, error);
    }),
    () => new InputError(`${file} cannot be loaded: it awaits a promise that never settles`),
  );
  const model = module.default ?? module.model;
  if (isModel(model)) return guarded(model, { file, name: model.name });
  throw new InputError(`${file} exports no model`, {
    hint: "export default { name, logLikelihood(sequences) { … } }, or embed(sequences), or predictActivity(sequences)",
  });
}

const isModel = (value: unknown): value is Model =>
  ((typeof value === "object" && value !== null) || typeof value === "function") &&
  "name" in value &&
  typeof value.name === "string" &&
  QUERIES.some((query) => Reflect.get(value, query) !== undefined);

/** The error of a module that cannot be imported. Node runs TypeScript by itself from version 22.18 on. */
export function importFailure(file: string, cause: unknown): InputError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return new InputError(`${file} cannot be loaded: Node ${process.versions.node} does not run TypeScript`, {
      hint: "use Node 22.18 or newer, or compile the file to JavaScript",
      cause,
    });
  }
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
    return new InputError(`${file} cannot be loaded: ${reasonOf(cause)}`, {
      hint: "Node only removes types: write it without enum, namespace and parameter properties, or compile it to JavaScript",
      cause,
    });
  }
  return new InputError(`${file} cannot be loaded: ${String(cause)}`, {
    hint: `\`node ${file}\` shows where`,
    cause,
  });
}

interface Named {
  readonly file: string;
  readonly name: string;
}

/** A proxy of a user's object whose errors name the model. The result of `fineTune` is guarded as well. */
function guarded<T extends object>(object: T, model: Named): T {
  // The target inherits from the object instead of being it: a proxy of a frozen object must return its
  // methods unchanged.
  return new Proxy(Object.create(object), {
    get(_, key) {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]) => {
        const failed = (cause: unknown) => (isStop(cause, args) ? cause : failure(model, key, cause));
        try {
          const result: unknown = Reflect.apply(value, object, args);
          if (!isThenable(result)) return result;
          const settling = settled(result, () => neverSettles(model, key)).catch((cause) => {
            throw failed(cause);
          });
          return key === "fineTune" ? settling.then((tuning) => guarded(tuning, model)) : settling;
        } catch (cause) {
          throw failed(cause);
        }
      };
    },
  });
}

const isThenable = (value: unknown): value is PromiseLike<object> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";

/** True for the reason of an aborted signal, and for an error that is already an `InputError`. */
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
    hint: "--verbose prints the stack",
    cause,
  });

const neverSettles = ({ file, name }: Named, key: string | symbol) =>
  new InputError(`the model ${name} returned nothing: the promise of its ${String(key)} never settles`, {
    place: { file },
    hint: "is resolve called, and every promise inside awaited?",
  });

/** The promise's value; throws when the event loop is empty, so that nothing can settle it any more. */
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
