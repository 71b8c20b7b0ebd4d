import { expect } from "vitest";

// Setup of the tests: typed arrays of one type and the same bytes are equal. Vitest compares any others
// element by element, at a microsecond each.

const BY_BYTES = Symbol.for("typed arrays are compared by their bytes");
if (!Reflect.has(globalThis, BY_BYTES)) {
  Reflect.set(globalThis, BY_BYTES, true);
  expect.addEqualityTesters([sameBytes]);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

function sameBytes(a: unknown, b: unknown): true | undefined {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
  return bytesOf(a).equals(bytesOf(b)) || undefined;
}
