import { z } from "zod";
import { FormatError } from "../base/errors.ts";
import { quotedText, shownValue } from "../base/message-text.ts";

/** A size: a whole number from 1 to a bound no model comes near, so that a damaged file cannot ask for all memory. */
export const size = (most = 1 << 20) => z.number().int().min(1).max(most);

/** A small positive real, as an epsilon is. */
export const epsilon = () => z.number().positive().max(1);

/** The rate of a dropout, 0.1 where it is not said, as Transformers has it. */
export const dropoutRate = () => z.number().min(0).lt(1).default(0.1);

/**
 * Reads a config.json by its schema; keys the schema does not name are ignored.
 *
 * @throws {FormatError} naming the key, what came and what was expected
 */
export function parseConfig<S extends z.ZodType>(schema: S, config: unknown, file: string): z.output<S> {
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const key = path.length === 0 ? "the file" : quotedText(path.join("."));
  const came = path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
    config,
  );
  throw new FormatError(
    { file },
    `${key} is ${shownValue(came)}: ${message}`,
    "config.json must be the one published with the weights",
  );
}
