import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileError, InputError, InternalError } from "./errors.ts";
import {
  asType,
  bytesPerNumber,
  commonType,
  type Numbers,
  type NumberType,
  newNumbers,
  smallestType,
} from "./typed-numbers.ts";

/** Numbers per chunk; each chunk has the smallest type that fits its numbers. */
const CHUNK = 2 ** 16;

/** Bytes of a log that stay in memory. */
export const IN_MEMORY = 2 ** 22;

let temporary = 0;

/** Bytes of the temporary files of all logs of this process. */
export const temporaryBytes = (): number => temporary;

/** A full chunk: in memory, or in the file from a byte offset. */
interface Chunk {
  readonly type: NumberType;
  readonly held: Numbers | number;
}

/**
 * An append-only column of numbers for tables of millions of rows. The first 4 MiB stay in memory, the rest
 * is in a temporary file in `$TMPDIR`. The file is unlinked once it is open, so a killed process leaves none.
 */
export class NumberLog {
  readonly #memory: number;
  readonly #chunks: Chunk[] = [];
  #held = 0;
  #file: UnnamedFile | undefined;
  #tail: Float64Array<ArrayBuffer>;
  #inTail = 0;
  #type: NumberType | undefined = "uint8";
  /** The two chunks of the file that `at` read last, for a caller that reads two sequences in turn. */
  #recent: readonly { readonly number: number; readonly numbers: Numbers }[] = [];

  /**
   * @param capacity  expected count of numbers; more may be appended
   * @param memory    bytes that stay in memory
   */
  constructor(capacity = 2 ** 10, memory: number = IN_MEMORY) {
    this.#memory = memory;
    this.#tail = new Float64Array(Math.max(Math.min(capacity, CHUNK), 1));
  }

  get length(): number {
    return this.#chunks.length * CHUNK + this.#inTail;
  }

  /** Smallest type that fits all numbers. */
  get type(): NumberType {
    this.#type ??= this.#chunks.reduce<NumberType>(
      (type, chunk) => commonType(type, chunk.type),
      smallestType(this.#tail.subarray(0, this.#inTail)),
    );
    return this.#type;
  }

  push(value: number): void {
    if (this.#inTail === this.#tail.length) this.#makeRoom();
    this.#tail[this.#inTail++] = value;
    this.#type = undefined;
  }

  append(numbers: Numbers): void {
    for (let at = 0; at < numbers.length; ) {
      if (this.#inTail === this.#tail.length) this.#makeRoom();
      const count = Math.min(numbers.length - at, this.#tail.length - this.#inTail);
      this.#tail.set(numbers.subarray(at, at + count), this.#inTail);
      this.#inTail += count;
      at += count;
    }
    this.#type = undefined;
  }

  /** Appends a number several times. */
  appendRepeated(value: number, count: number): void {
    for (let i = 0; i < count; i++) this.push(value);
  }

  /**
   * @param i  0-based, below the length. Sequential access reads each chunk once, also at two positions in
   *   turn
   */
  at(i: number): number {
    return this.#chunk(Math.floor(i / CHUNK))[i % CHUNK];
  }

  /**
   * The numbers [start, end) as a new array.
   * @param type  default: the type of the whole log
   */
  read(start = 0, end = this.length, type: NumberType = this.type): Numbers {
    const numbers = newNumbers(type, end - start);
    for (let at = start; at < end; ) {
      const chunk = Math.floor(at / CHUNK);
      const until = Math.min(end, (chunk + 1) * CHUNK);
      numbers.set(this.#part(chunk, at % CHUNK, until - chunk * CHUNK), at - start);
      at = until;
    }
    return numbers;
  }

  /** Frees the temporary file. The log cannot be read afterwards. */
  close(): void {
    this.#file?.close();
  }

  #chunk(number: number): Numbers {
    const chunk = this.#chunks[number];
    if (chunk === undefined) return this.#tail;
    if (typeof chunk.held !== "number") return chunk.held;
    const [last, other] = this.#recent;
    if (last?.number === number) return last.numbers;
    const found = other?.number === number ? other : { number, numbers: this.#part(number, 0, CHUNK) };
    this.#recent = last === undefined ? [found] : [found, last];
    return found.numbers;
  }

  /** The numbers [from, to) of a chunk. */
  #part(number: number, from: number, to: number): Numbers {
    const chunk = this.#chunks[number];
    const held = chunk?.held ?? this.#tail;
    if (typeof held !== "number") return held.subarray(from, to);
    const numbers = newNumbers(chunk.type, to - from);
    this.#file!.read(numbers, held + from * bytesPerNumber(chunk.type));
    return numbers;
  }

  #makeRoom(): void {
    if (this.#tail.length < CHUNK) {
      const longer = new Float64Array(Math.min(2 * this.#tail.length, CHUNK));
      longer.set(this.#tail);
      this.#tail = longer;
      return;
    }
    const type = smallestType(this.#tail);
    const bytes = CHUNK * bytesPerNumber(type);
    if (this.#held + bytes <= this.#memory) {
      this.#held += bytes;
      this.#chunks.push({ type, held: type === "float64" ? this.#tail.slice() : asType(this.#tail, type) });
    } else {
      this.#file ??= new UnnamedFile();
      this.#chunks.push({ type, held: this.#file.append(asType(this.#tail, type)) });
    }
    this.#inTail = 0;
  }
}

/** A file while it is open. */
interface OpenFile {
  readonly descriptor: number;
  /** Bytes. */
  size: number;
}

const closeWhenCollected = new FinalizationRegistry<OpenFile>(closeFile);

function closeFile({ descriptor, size }: OpenFile): void {
  closeSync(descriptor);
  temporary -= size;
}

/** A temporary file without a name, closed when it is no longer referenced. */
class UnnamedFile {
  readonly #file: OpenFile;

  constructor() {
    const path = join(tmpdir(), `dart-eval-${process.pid}-${randomBytes(8).toString("hex")}.tmp`);
    try {
      this.#file = { descriptor: openSync(path, "wx+", 0o600), size: 0 };
      rmSync(path);
    } catch (error) {
      throw temporaryFileError(error);
    }
    closeWhenCollected.register(this, this.#file, this);
  }

  close(): void {
    if (closeWhenCollected.unregister(this)) closeFile(this.#file);
  }

  /** @returns the offset of the numbers in bytes */
  append(numbers: Numbers): number {
    const { descriptor, size: start } = this.#file;
    const bytes = bytesOf(numbers);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(descriptor, bytes, done, bytes.length - done, start + done);
      }
    } catch (error) {
      throw temporaryFileError(error);
    }
    this.#file.size += bytes.length;
    temporary += bytes.length;
    return start;
  }

  /** Fills an array from an offset in bytes. */
  read(numbers: Numbers, offset: number): void {
    const bytes = bytesOf(numbers);
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#file.descriptor, bytes, done, bytes.length - done, offset + done);
      if (count === 0) throw new InternalError("a temporary file of numbers shrank");
      done += count;
    }
  }
}

/** The error of a temporary file, which names its folder and `$TMPDIR`. */
function temporaryFileError(error: unknown): unknown {
  const described = fileError(tmpdir(), error);
  if (!(described instanceof InputError)) return described;
  return new InputError(`cannot write temporary files: ${described.message}`, {
    place: { file: tmpdir() },
    hint: "set TMPDIR to a folder on a disk with enough space",
    cause: error,
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers) =>
  new Uint8Array(buffer, byteOffset, byteLength);
