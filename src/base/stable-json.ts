import { InternalError } from "./errors.ts";

/**
 * JSON with the keys of every object in code-unit order and no spaces: equal values give equal text, fit for a digest.
 *
 * A property that is undefined is left out, as in JSON. Only plain objects, arrays, strings, finite numbers, booleans
 * and null are written.
 *
 * @throws {InternalError} naming the place of a NaN, an infinity, or anything JSON would silently change
 */
export function stableStringify(value: unknown): string {
  return write(value, "$");
}

function write(value: unknown, place: string): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw new InternalError(`${place} is ${value}, which JSON cannot say`);
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map((item, i) => write(item, `${place}[${i}]`)).join(",")}]`;
      return writeObject(value, place);
    default:
      throw new InternalError(`${place} is a ${typeof value}, which JSON cannot say`);
  }
}

function writeObject(value: object, place: string): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new InternalError(`${place} is a ${value.constructor.name}, not a plain object`);
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${write(item, `${place}.${key}`)}`).join(",")}}`;
}
