import { expect, test } from "vitest";
import { ByteCursor, EndOfBytes } from "../../src/base/byte-cursor.ts";

test("reads consecutive numbers and bytes from a view into a larger buffer", () => {
  const whole = Uint8Array.from([9, 9, 1, 2, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0x80, 104, 105, 10, 7]);
  const cursor = new ByteCursor(whole.subarray(2));
  expect([cursor.uint8(), cursor.uint16(), cursor.int32(), cursor.uint32()]).toEqual([1, 2, -1, 0x80000003]);
  expect(new TextDecoder().decode(cursor.line())).toBe("hi");
  expect([cursor.at, ...cursor.bytes(1)]).toEqual([14, 7]);
});

test("reads 64-bit integers and big-endian floats", () => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, 2n ** 53n - 1n, true);
  new DataView(bytes.buffer).setFloat64(8, -2.5, false);
  const cursor = new ByteCursor(bytes);
  expect([cursor.uint64(), cursor.float64BigEndian()]).toEqual([2 ** 53 - 1, -2.5]);
});

test("a read beyond the end throws and keeps the position", () => {
  const cursor = new ByteCursor(new Uint8Array(3));
  for (const read of [
    () => cursor.uint32(),
    () => cursor.bytes(4),
    () => cursor.bytes(2 ** 60),
    () => cursor.line(),
  ]) {
    expect(read).toThrow(EndOfBytes);
  }
  expect(cursor.at).toBe(0);
});
