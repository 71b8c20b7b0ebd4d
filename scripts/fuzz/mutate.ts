import type { Pcg64 } from "../../src/base/pcg64.ts";

/** Mutations of a file: of its bytes, and of the values of its JSON or the cells of its table. */
export type Form = "bytes" | "json" | "table";

/** Largest mutated file, in bytes. */
const MAX_BYTES = 2 ** 20;

/** Values that parsers of JSON should not expect. */
const VALUES: readonly unknown[] = [
  ...[null, true, -1, 0, 0.5, 1e9, 2 ** 31, 2 ** 53, -(2 ** 63), "", "0", "NaN", "__proto__", "constructor"],
  ...[
    "../../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "\ud800",
    "x".repeat(5000),
    [],
    {},
    [[]],
    [null],
    { a: 1 },
  ],
];

const CELLS: readonly string[] = [
  ...[
    "",
    ".",
    "NA",
    "nan",
    "inf",
    "-1",
    "0",
    "-0",
    "1.5",
    "1e309",
    "99999999999999999999",
    "0x10",
    " 5",
    "5 ",
  ],
  ...["chr1", "chr99", "__proto__", "\0", "é", "-", "+", "*", "<DEL>", "N", "\u2028", "x".repeat(3000)],
];

/**
 * A copy of a file with one to four random mutations: flipped bits, overwritten bytes and length fields,
 * truncation, removed, moved and repeated blocks; of JSON also replaced, removed and nested values; of tables
 * also replaced cells, and removed, repeated and swapped columns and lines. Equal generators give equal
 * bytes.
 *
 * @param bytes  file that the parser accepts; empty bytes stay empty or become a few random ones
 */
export function mutate(bytes: Uint8Array, form: Form, rng: Pcg64): Uint8Array {
  const random = new Draws(rng);
  let mutated: Buffer = Buffer.from(bytes);
  // Structure first: mutated bytes are rarely JSON.
  if (form === "json" && random.one(2)) mutated = mutateJson(mutated, random);
  else if (form === "table" && random.one(2)) mutated = mutateTable(mutated, random);
  else mutated = mutateBytes(mutated, random);
  while (random.one(3))
    mutated = form === "table" ? mutateTable(mutated, random) : mutateBytes(mutated, random);
  return mutated.subarray(0, MAX_BYTES);
}

class Draws {
  readonly #rng: Pcg64;

  constructor(rng: Pcg64) {
    this.#rng = rng;
  }

  /** Whole number in [0, n); 0 where n is 0. */
  below(n: number): number {
    return Math.floor(this.#rng.nextFloat64() * n);
  }

  /** True with probability 1 / n. */
  one(n: number): boolean {
    return this.below(n) === 0;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}

const concat = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);

type ByteMutation = (bytes: Buffer, random: Draws) => Buffer;

const BYTE_MUTATIONS: readonly ByteMutation[] = [
  function flipBits(bytes, random) {
    for (let left = 1 + random.below(8); left > 0; left--) {
      const at = random.below(bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
    }
    return bytes;
  },
  function overwrite(bytes, random) {
    for (let left = 1 + random.below(8); left > 0; left--) {
      bytes.writeUInt8(random.of([0, 1, 9, 10, 13, 32, 34, 44, 127, 128, 255]), random.below(bytes.length));
    }
    return bytes;
  },
  function lengthField(bytes, random) {
    const width = random.of([1, 2, 4, 8]);
    const near = [bytes.length, bytes.length - 1, bytes.length + 1, random.below(bytes.length)];
    const value = BigInt(
      random.of([0, 1, 127, 255, 65535, 2 ** 24, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 40, -1, ...near]),
    );
    const field = Buffer.alloc(8);
    field.writeBigInt64LE(value);
    const written = field.subarray(0, width);
    // Every second mutation is near the front, where headers are.
    const at = random.below(random.one(2) ? Math.min(256, bytes.length) : bytes.length);
    (random.one(4) ? Buffer.from(written).reverse() : written).copy(bytes, at);
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function remove(bytes, random) {
    const at = random.below(bytes.length);
    return concat(
      bytes.subarray(0, at),
      bytes.subarray(at + 1 + random.below(random.one(2) ? 16 : bytes.length - at)),
    );
  },
  function splice(bytes, random) {
    const from = random.below(bytes.length);
    const block = Buffer.from(bytes.subarray(from, from + 1 + random.below(random.one(2) ? 16 : 4096)));
    const at = random.below(bytes.length);
    if (random.one(2)) return concat(bytes.subarray(0, at), block, bytes.subarray(at));
    block.copy(bytes, at);
    return bytes;
  },
  function repeat(bytes, random) {
    const from = random.below(bytes.length);
    const block = bytes.subarray(from, from + 1 + random.below(64));
    const copies = Array.from({ length: 1 + random.below(random.one(8) ? 2000 : 20) }, () => block);
    return concat(bytes.subarray(0, from), ...copies, bytes.subarray(from));
  },
];

function mutateBytes(bytes: Buffer, random: Draws): Buffer {
  return bytes.length === 0
    ? Buffer.from([random.below(256), random.below(256)])
    : random.of(BYTE_MUTATIONS)(bytes, random);
}

/** Placeholder for an overflowing number, which `JSON.stringify` cannot write. */
const OVERFLOW = "\ue000overflow";

function mutateJson(bytes: Buffer, random: Draws): Buffer {
  const places: { readonly of: Record<string, unknown>; readonly key: string }[] = [];
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    // The keys of an array are its indices.
    for (const [key, inner] of Object.entries(value)) {
      places.push({ of: value as Record<string, unknown>, key });
      visit(inner);
    }
  };
  const root: { file: unknown } = { file: JSON.parse(bytes.toString("utf8")) };
  visit(root);
  const { of, key } = random.of(places);
  switch (random.below(8)) {
    case 0:
      if (of !== root) delete of[key];
      break;
    case 1:
      Object.defineProperty(of, random.of(["__proto__", "extra", "toString"]), {
        value: of[key],
        enumerable: true,
      });
      break;
    case 2:
      of[key] = random.of(places).of;
      break;
    case 3:
      of[key] = OVERFLOW;
      break;
    case 4:
      of[key] = nested(2 + random.below(5000));
      break;
    default:
      of[key] = random.of(VALUES);
  }
  let text: string;
  try {
    text = JSON.stringify(root.file) ?? "";
  } catch {
    // The value was put into itself.
    text = "{}";
  }
  return Buffer.from(text.replaceAll(JSON.stringify(OVERFLOW), random.one(2) ? "1e400" : "-1e400"));
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (; depth > 0; depth--) value = [value];
  return value;
}

function mutateTable(bytes: Buffer, random: Draws): Buffer {
  const lines = bytes.toString("latin1").split("\n");
  const at = random.below(lines.length);
  const line = lines[at];
  const separator = line.includes("\t") ? "\t" : line.includes(",") ? "," : " ";
  const cells = line.split(separator);
  const column = random.below(cells.length);
  switch (random.below(10)) {
    case 0:
      cells.splice(column, 1);
      break;
    case 1:
      cells.splice(column, 0, random.of(cells));
      break;
    case 2:
      return text(lines.toSpliced(at, 1));
    case 3:
      return text(lines.toSpliced(at, 0, line));
    case 4:
      return text(lines.with(at, random.of(lines)).with(random.below(lines.length), line));
    case 5:
      return text(
        lines.with(at, random.of(["", " ", "#", "\r", `${line}\r`, `${line}\t`, `"${line}"`, "\ufeff"])),
      );
    default:
      cells[column] = random.one(3) ? random.of(random.of(lines).split(separator)) : random.of(CELLS);
  }
  return text(lines.with(at, cells.join(separator)));

  function text(of: readonly string[]): Buffer {
    return Buffer.from(of.join("\n"), "latin1");
  }
}
