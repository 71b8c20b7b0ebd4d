import { ByteCursor, EndOfBytes } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import type { OpenFile } from "../../base/read-file.ts";
import type { DType } from "./array.ts";

// The HDF5 library follows a header to data in other files, and returns numbers of unusual layouts
// unconverted. It has no function that reports either before it reads, so this file parses the header itself.
// See the HDF5 File Format Specification, version 3.0, sections II.A, IV.A.1 (object headers) and IV.A.2
// (messages).

/** Header of a dataset or of a committed data type. */
export interface Hdf5Header {
  /** Undefined for a type that is not a standard number; `typeText` describes it. */
  readonly dtype: DType | undefined;
  /** The data type, for messages: "integer of 17 bits in 4 bytes". */
  readonly typeText: string;
  /** Storage of the data outside this file, if any. */
  readonly elsewhere: "external storage" | "a virtual dataset" | undefined;
}

const INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"] as const;

/** An open HDF5 file with the sizes of its addresses. */
export interface Hdf5Bytes {
  readonly file: OpenFile;
  /** Offset of the superblock signature, to which addresses are relative. */
  readonly base: number;
  /** Bytes of an address and of a length. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const DATATYPE = 0x03;
const EXTERNAL_FILES = 0x07;
const LAYOUT = 0x08;
const CONTINUATION = 0x10;
const SHARED = 0x02;
const VIRTUAL = 3;

/** The header of a dataset takes a few hundred bytes; attributes may extend it to about 64 KiB per block. */
const MAX_BLOCK_BYTES = 2 ** 20;
const MAX_BLOCKS = 4096;

interface Message {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/**
 * Reads the header of the object at an address.
 *
 * @throws {FormatError} when it is damaged
 */
export function readHdf5Header(source: Hdf5Bytes, address: number, tensor: string): Hdf5Header {
  const damaged = (what: string, cause?: unknown) =>
    new FormatError(
      { file: source.file.path, tensor },
      `${what} in its header`,
      "was it copied completely?",
      cause,
    );
  try {
    const messages = readMessages(source, address);
    const virtual = messages.some(({ type, body }) => type === LAYOUT && body[0] >= 4 && body[1] === VIRTUAL);
    const external = messages.some(({ type }) => type === EXTERNAL_FILES);
    const type = messages.find((message) => message.type === DATATYPE);
    if (type === undefined) throw damaged("no data type");
    return {
      ...dataType(type.flags & SHARED ? sharedType(source, type.body) : type.body),
      elsewhere: external ? "external storage" : virtual ? "a virtual dataset" : undefined,
    };
  } catch (error) {
    if (error instanceof EndOfBytes) throw damaged("a message is cut off", error);
    throw error;
  }
}

/**
 * Resolves a committed type, for which the message has the address of its object. Types in the shared message
 * heap are not read.
 */
function sharedType(source: Hdf5Bytes, body: Uint8Array): Uint8Array {
  const cursor = new ByteCursor(body);
  const version = cursor.uint8();
  const heap = version === 3 && cursor.uint8() !== 2;
  if (version === 1) cursor.bytes(7);
  if (version === 2) cursor.bytes(1);
  const address = heap ? undefined : uint(cursor, source.offsetBytes);
  const found =
    address === undefined ? undefined : readMessages(source, address).find(({ type }) => type === DATATYPE);
  return found === undefined || found.flags & SHARED ? Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0) : found.body;
}

function readMessages(source: Hdf5Bytes, address: number): readonly Message[] {
  const start = blockAt(source, address, Math.min(64, source.file.size - source.base - address));
  const cursor = new ByteCursor(start);
  const isNew = Buffer.from(start.subarray(0, 4)).toString("latin1") === "OHDR";
  let order = false;
  let first: { readonly at: number; readonly length: number };
  if (isNew) {
    cursor.bytes(5);
    const flags = cursor.uint8();
    cursor.bytes((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
    order = (flags & 0x04) !== 0;
    const length = uint(cursor, 2 ** (flags & 3));
    first = { at: address + cursor.at, length };
  } else {
    cursor.bytes(8);
    first = { at: address + 16, length: cursor.uint32() };
  }
  const messages: Message[] = [];
  const blocks = [first];
  for (let i = 0; i < blocks.length && i < MAX_BLOCKS; i++) {
    const { at, length } = blocks[i];
    for (const message of messagesIn(blockAt(source, at, length), isNew, order)) {
      messages.push(message);
      if (message.type !== CONTINUATION) continue;
      const body = new ByteCursor(message.body);
      const next = { at: uint(body, source.offsetBytes), length: uint(body, source.lengthBytes) };
      // A version 2 block has a signature before its messages and a checksum after them.
      blocks.push(isNew ? { at: next.at + 4, length: next.length - 8 } : next);
    }
  }
  return messages;
}

/** Messages of a block; a remainder too short for a message is a gap. */
function* messagesIn(block: Uint8Array, isNew: boolean, order: boolean): Generator<Message> {
  const cursor = new ByteCursor(block);
  const prefix = isNew ? (order ? 6 : 4) : 8;
  while (block.length - cursor.at >= prefix) {
    const type = isNew ? cursor.uint8() : cursor.uint16();
    const size = cursor.uint16();
    const flags = cursor.uint8();
    cursor.bytes(prefix - (isNew ? 4 : 5));
    yield { type, flags, body: cursor.bytes(size) };
  }
}

function blockAt({ file, base }: Hdf5Bytes, at: number, length: number): Uint8Array {
  const fits = length >= 0 && length <= MAX_BLOCK_BYTES && base + at + length <= file.size;
  if (!fits) throw new EndOfBytes();
  return file.readSync(base + at, length);
}

function uint(cursor: ByteCursor, bytes: number): number {
  return cursor.bytes(bytes).reduceRight((sum, byte) => 256 * sum + byte, 0);
}

const CLASSES = [
  "integer",
  "float",
  "time",
  "text",
  "bit field",
  "opaque",
  "compound",
  "reference",
  "enumeration",
  "list",
  "array",
];

/**
 * IEEE 754 layouts: total bits, bit offset, positions of sign and exponent, exponent bits, fraction position
 * and bits, exponent bias.
 */
const FLOATS: readonly (readonly [DType, string])[] = [
  ["float16", "16 0 15 10 5 0 10 15"],
  ["float32", "32 0 31 23 8 0 23 127"],
  ["float64", "64 0 63 52 11 0 52 1023"],
];

/**
 * Data type message, section IV.A.2.d. The library converts big-endian numbers to the byte order of the
 * machine.
 */
function dataType(body: Uint8Array): Pick<Hdf5Header, "dtype" | "typeText"> {
  const cursor = new ByteCursor(body);
  const kind = cursor.uint8() & 0x0f;
  const bits = cursor.uint8();
  const signAt = cursor.uint8();
  cursor.bytes(1);
  const size = cursor.uint32();
  const name = CLASSES[kind] ?? "unknown type";
  if (kind > 1) return { dtype: undefined, typeText: `${name} of ${counted(size, "byte")}` };
  const offset = cursor.uint16();
  const precision = cursor.uint16();
  const typeText = `${name} of ${precision} bits in ${counted(size, "byte")}`;
  if (kind === 0) {
    const whole = offset === 0 && precision === 8 * size && [1, 2, 4, 8].includes(size);
    const text = `${bits & 8 ? "" : "u"}int${precision}`;
    const dtype = whole ? INTEGERS.find((name) => name === text) : undefined;
    return { dtype, typeText };
  }
  const fields = [...cursor.bytes(4)];
  const [exponentAt, exponentBits, fractionAt, fractionBits] = fields;
  const layout = [
    precision,
    offset,
    signAt,
    exponentAt,
    exponentBits,
    fractionAt,
    fractionBits,
    cursor.uint32(),
  ];
  const vax = (bits & 0x41) === 0x41;
  const impliedBit = (bits & 0x30) === 0x20;
  const found = FLOATS.find(([dtype, text]) => text === layout.join(" ") && dtype === `float${8 * size}`);
  return {
    dtype: vax || !impliedBit ? undefined : found?.[0],
    typeText: found ? typeText : `${typeText}, not IEEE 754`,
  };
}
