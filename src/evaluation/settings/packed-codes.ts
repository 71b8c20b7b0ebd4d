import { InternalError } from "../../base/errors.ts";

/** Base codes of many sequences of one length, two to a byte: a million pairs of 350 bases take 350 MB. */
export class PackedCodes {
  private readonly bytes: Uint8Array;
  private readonly stride: number;

  constructor(
    sequences: number,
    private readonly length: number,
  ) {
    this.stride = Math.ceil(length / 2);
    this.bytes = new Uint8Array(sequences * this.stride);
  }

  /** @param codes  0 A, 1 C, 2 G, 3 T, 4 no base */
  set(sequence: number, codes: Uint8Array): void {
    if (codes.length !== this.length) {
      throw new InternalError(`a sequence has ${codes.length} bases instead of ${this.length}`);
    }
    const at = sequence * this.stride;
    for (let i = 0; i < codes.length; i += 2) {
      this.bytes[at + i / 2] = codes[i]! | ((codes[i + 1] ?? 0) << 4);
    }
  }

  get(sequence: number): Uint8Array {
    const at = sequence * this.stride;
    const codes = new Uint8Array(this.length);
    for (let i = 0; i < codes.length; i++) codes[i] = (this.bytes[at + (i >> 1)]! >> (4 * (i & 1))) & 15;
    return codes;
  }
}
