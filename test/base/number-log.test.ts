import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test, vi } from "vitest";
import { NumberLog, temporaryBytes } from "../../src/base/number-log.ts";

const CHUNK = 2 ** 16;

/** Three and a half chunks: bytes, negative integers, fractions with NaN and -0, and large integers. */
const values = Float64Array.from({ length: 3.5 * CHUNK }, (_, i) => {
  if (i < CHUNK) return i % 200;
  if (i < 2 * CHUNK) return -i;
  if (i < 3 * CHUNK) return i % 7 === 0 ? Number.NaN : i % 5 === 0 ? -0 : i / 3;
  return i * 1000;
});

function logOf(memory?: number): NumberLog {
  const log = new NumberLog(values.length, memory);
  log.append(values.subarray(0, 1000));
  for (const value of values.subarray(1000, CHUNK + 10)) log.push(value);
  log.append(values.subarray(CHUNK + 10));
  return log;
}

describe.each([
  ["in memory", Number.POSITIVE_INFINITY],
  ["in a file", 0],
])("numbers %s", (_, memory) => {
  test("reads what was appended", () => {
    const log = logOf(memory);
    expect(log.length).toBe(values.length);
    expect(log.type).toBe("float64");
    expect(log.read()).toEqual(values);
    expect(log.read(CHUNK - 3, CHUNK + 3)).toEqual(values.slice(CHUNK - 3, CHUNK + 3));
    for (const i of [0, CHUNK - 1, CHUNK, 2 * CHUNK, 2 * CHUNK + 5, 10, values.length - 1]) {
      expect(log.at(i)).toBe(values[i]);
    }
  });

  test("the type is the smallest of all numbers", () => {
    const log = new NumberLog(4, memory);
    expect(log.type).toBe("uint8");
    log.appendRepeated(3, CHUNK);
    expect(log.type).toBe("uint8");
    log.push(300);
    expect(log.type).toBe("uint16");
    log.push(-1);
    expect(log.type).toBe("int32");
    expect(log.read(CHUNK, CHUNK + 2)).toEqual(Int32Array.of(300, -1));
  });
});

test("leaves no named file", () => {
  logOf(0);
  const names = readdirSync(tmpdir()).filter((name) => name.startsWith(`dart-eval-${process.pid}-`));
  expect(names).toEqual([]);
});

test("counts the bytes of temporary files until they are closed", () => {
  const before = temporaryBytes();
  const log = logOf(0);
  // Full chunks of uint8, int32 and float64.
  expect(temporaryBytes() - before).toBe((1 + 4 + 8) * CHUNK);
  log.close();
  expect(temporaryBytes()).toBe(before);
});

test("an error names the folder of temporary files and $TMPDIR", () => {
  vi.stubEnv("TMPDIR", "/nowhere/at-all");
  try {
    expect(() => logOf(0)).toThrow(
      expect.objectContaining({
        message: "cannot write temporary files: no such file or folder",
        place: { file: tmpdir() },
        hint: expect.stringContaining("TMPDIR"),
      }),
    );
  } finally {
    vi.unstubAllEnvs();
  }
});
