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

/** Parsed JSON; undefined when the text is not JSON, which is not a value of JSON either. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a text is not acceptable JSON, as the end of a sentence that begins with "the header". */
export class JsonError extends Error {}

/**
 * `JSON.parse` for files from strangers: a name given twice in one object is an error (JSON.parse keeps the last and
 * hides the other, so two programs may see different things), and so is nesting deeper than `maxDepth`.
 *
 * @throws {JsonError} with what is wrong
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

/**
 * Refuses a text before it is parsed: what is nested thousands deep is more than the stack of whoever walks through it can
 * hold.
 *
 * @throws {JsonError} when objects and lists lie in one another more than `maxDepth` deep
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

/** The text is valid JSON by now, so a string followed by a colon is a name. */
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
        const names = open.at(-1)!;
        if (names.has(name)) throw new JsonError(`gives the name ${JSON.stringify(name)} twice`);
        names.add(name);
      }
      i = end;
    }
  }
}

/** Index of the closing quote of the string that opens at `start`, or of the text's end. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
