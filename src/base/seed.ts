import { hash } from "node:crypto";
import { InputError } from "./errors.ts";

/** What a row is, in an order that its task fixes: whole numbers and plain ASCII text. */
export type SeedPart = number | string;

/**
 * A seed that depends on what a row is and on nothing else, so that any shard, order or split draws the same numbers.
 *
 * It is the seed DART-Eval gives each element's control: SHA-256 of Python's `repr` of the tuple of `parts`, as a
 * big-endian number modulo 2^128. `seedOf([0, "chr1", 181251, 181601])` digests `(0, 'chr1', 181251, 181601)`.
 *
 * @returns  four 32-bit words, least significant first, as `new Pcg64(words)` takes them
 * @throws {InputError} when a number is not whole, or text has a letter outside printable ASCII (Python's quoting of
 *   others depends on its Unicode version)
 */
export function seedOf(parts: readonly SeedPart[]): Uint32Array {
  let items = "";
  for (const part of parts) items += items === "" ? pythonRepr(part) : `, ${pythonRepr(part)}`;
  // "binary" is one character per byte: no buffer is made for each row.
  const digest = hash("sha256", parts.length === 1 ? `(${items},)` : `(${items})`, "binary");
  const words = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    const at = 28 - 4 * i;
    words[i] =
      (digest.charCodeAt(at) << 24) |
      (digest.charCodeAt(at + 1) << 16) |
      (digest.charCodeAt(at + 2) << 8) |
      digest.charCodeAt(at + 3);
  }
  return words;
}

// Rows come chromosome by chromosome, so the same text is quoted again and again.
let lastText = "";
let lastQuoted = "''";

function pythonRepr(part: SeedPart): string {
  if (typeof part === "number") {
    if (!Number.isSafeInteger(part)) throw new InputError(`${part} in a seed is not a whole number`);
    // Adding 0 makes -0 into 0.
    return String(part + 0);
  }
  if (part !== lastText) {
    lastQuoted = quoted(part);
    lastText = part;
  }
  return lastQuoted;
}

function quoted(text: string): string {
  if (!/^[ -~]*$/.test(text)) {
    throw new InputError(`${JSON.stringify(text)} cannot be part of a seed: it is not plain ASCII text`);
  }
  const escaped = text.replaceAll("\\", "\\\\");
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}
