import type { z } from "zod";
import { FormatError } from "../../base/errors.ts";

/** An answer of a repository, checked. @throws {FormatError} naming the address and where it is not as expected */
export function parsedAnswer<T>(url: URL, text: string, schema: z.ZodType<T>): T {
  const place = { file: `${url.origin}${url.pathname}` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const hint = "does a proxy or a login page stand between?";
    throw new FormatError(place, "what it answers is not JSON", hint, cause);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new FormatError(place, `its answer is not as expected at ${path.join(".") || "the top"}: ${message}`);
}
