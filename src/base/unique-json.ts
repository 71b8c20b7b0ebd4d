/** Why a text is not acceptable JSON, as the end of a sentence that begins with "the header". */
export class JsonTrouble extends Error {}

/**
 * `JSON.parse` for files from strangers: a name given twice in one object is an error (JSON.parse keeps the last and
 * hides the other, so two programs may see different things), and so is nesting deeper than `maxDepth`.
 *
 * @throws {JsonTrouble} with what is wrong
 */
export function parseUniqueJson(text: string, maxDepth = 8): unknown {
  checkNesting(text, maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new JsonTrouble("is not JSON", { cause });
  }
  checkNames(text);
  return value;
}

/**
 * Refuses a text before it is parsed: what is nested thousands deep is more than the stack of whoever walks through it can
 * hold.
 *
 * @throws {JsonTrouble} when objects and lists lie in one another more than `maxDepth` deep
 */
export function checkNesting(text: string, maxDepth: number): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === "{" || char === "[") {
      if (++depth > maxDepth) throw new JsonTrouble(`is nested more than ${maxDepth} deep`);
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
        if (names.has(name)) throw new JsonTrouble(`gives the name ${JSON.stringify(name)} twice`);
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
