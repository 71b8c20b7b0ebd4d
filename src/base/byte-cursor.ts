/** A `DataView` of the same bytes; the array may be part of a larger buffer. */
export const dataView = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Thrown when a read goes past the end of the bytes. Callers convert it to an error that names the file. */
export class EndOfBytes extends Error {}

/** Sequential reader of a byte array, little-endian unless a method name says otherwise. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = dataView(bytes);
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }
  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }
  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }
  /**
   * As a number, exact up to 2^53. Larger values stay larger than any file length, so bounds checks still
   * reject them.
   */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }
  float64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** The bytes up to the next line feed, which is skipped. */
  line(): Uint8Array {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end === -1) throw new EndOfBytes();
    const line = this.bytes(end - this.#at);
    this.#at++;
    return line;
  }

  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new EndOfBytes();
    this.#at += length;
    return start;
  }
}
