import { InternalError } from "../../base/errors.ts";

/**
 * JSON with two spaces of indent and a last line end, for files that people open too.
 *
 * @throws {InternalError} for NaN and infinities, which JSON.stringify would silently turn into null: whoever makes a record
 *   says null and why
 */
export function readableJson(value: unknown): string {
  const refuse = (key: string, item: unknown) => {
    if (typeof item === "number" && !Number.isFinite(item)) {
      throw new InternalError(`${JSON.stringify(key)} is ${item}, which JSON cannot say`);
    }
    return item;
  };
  return `${JSON.stringify(value, refuse, 2)}\n`;
}
