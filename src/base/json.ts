import type { z } from "zod";
import { InternalError } from "./errors.ts";
import { counted } from "./message-text.ts";

/**
 * Canonical JSON for digests: the keys of every object in code-unit order, no spaces. Equal values give equal
 * text.
 *
 * Undefined properties are left out. Plain objects, arrays, strings, finite numbers, booleans and null are
 * supported.
 *
 * @throws {InternalError} naming the path of a NaN, an infinity, or a value that JSON would change silently
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
      if (!Number.isFinite(value))
        throw new InternalError(`${place} is ${value}, which JSON cannot represent`);
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map((item, i) => write(item, `${place}[${i}]`)).join(",")}]`;
      return writeObject(value, place);
    default:
      throw new InternalError(`${place} is a ${typeof value}, which JSON cannot represent`);
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

/** Parses JSON; undefined when the text is not valid JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** First violation of a schema, as `path: expected …`; `root` replaces an empty path. */
export function firstIssue({ issues: [issue] }: z.ZodError, root: string): string {
  return `${issue.path.join(".") || root}: ${issueText(issue)}`;
}

/** Text of a violation of a schema: the expected values or bounds, or the schema's own message. */
export function issueText(issue: z.core.$ZodIssue): string {
  if (!/^(Too (small|big)|Invalid (input|option)): /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected === "int" ? "a whole number" : withArticle(issue.expected)}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_small":
      return `expected ${issue.inclusive ? "at least" : "more than"} ${boundText(issue.minimum, issue.origin)}`;
    case "too_big":
      return `expected ${issue.inclusive ? "at most" : "less than"} ${boundText(issue.maximum, issue.origin)}`;
    default:
      return issue.message;
  }
}

const withArticle = (noun: string) => `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;

const boundText = (bound: number | bigint, origin: string) =>
  origin === "string"
    ? counted(Number(bound), "character")
    : origin === "array" || origin === "set"
      ? counted(Number(bound), "item")
      : `${bound}`;

/**
 * Invalid JSON. The message is a predicate, such as "is not JSON", for a sentence that starts with the file.
 */
export class JsonError extends Error {}

/**
 * `JSON.parse` for untrusted files: refuses duplicate names in an object, which different parsers resolve
 * differently, and nesting deeper than `maxDepth`.
 *
 * @throws {JsonError} naming the defect
 */
export function parseUniqueJson(text: string, maxDepth = 8): unknown {
  checkNesting(text, maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new JsonError("is not JSON", { cause });
  }
  checkNames(text);
  return value;
}

/** Narrows a parsed value to a JSON object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Checks the nesting depth before parsing, because deep nesting overflows the stack of recursive code.
 *
 * @throws {JsonError} when objects and arrays are nested more than `maxDepth` deep
 */
export function checkNesting(text: string, maxDepth: number): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === "{" || char === "[") {
      if (++depth > maxDepth) throw new JsonError(`is nested more than ${maxDepth} deep`);
    } else if (char === "}" || char === "]") depth--;
  }
}

/** Refuses duplicate names in valid JSON, where a string followed by a colon is a name. */
function checkNames(text: string) {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "{" || char === "[") open.push(new Set());
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = endOfString(text, i);
      let after = end + 1;
      while (" \t\r\n".includes(text[after] ?? "x")) after++;
      if (text[after] === ":") {
        const name: string = JSON.parse(text.slice(i, end + 1));
        const names = open[open.length - 1];
        if (names.has(name)) throw new JsonError(`gives the name ${JSON.stringify(name)} twice`);
        names.add(name);
      }
      i = end;
    }
  }
}

/** Index of the closing quote of the string that opens at `start`, or the length of the text. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
