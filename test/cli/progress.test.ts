import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { progressText, startProgress } from "../../src/cli/progress.ts";
import { collectingTerminal } from "./collecting-terminal.ts";

test("rows, speed and time left; rows done before do not count for the speed", () => {
  const form = { unit: "rows", total: 8034, before: 4000 } as const;
  expect(progressText(4812, form, 10)).toBe("4,812 / 8,034 rows · 81 rows/s · 40 s left");
  expect(progressText(4005, form, 10)).toBe("4,005 / 8,034 rows · 0.5 rows/s · 2 h 14 min left");
});

test("bytes in binary units", () => {
  const form = { unit: "bytes", total: 437 * 1024 ** 2 } as const;
  expect(progressText(12 * 1024 ** 2, form, 2)).toBe("12.0 MiB / 437 MiB · 6.00 MiB/s · 1 min 11 s left");
});

test("clusterings, which may take many seconds each", () => {
  const form = { unit: "clusterings", total: 100 } as const;
  expect(progressText(3, form, 60)).toBe("3 / 100 clusterings · 0.050 clusterings/s · 32 min 20 s left");
});

test("no speed while unknown", () => {
  expect(progressText(0, { unit: "rows", total: 10 }, 0)).toBe("0 / 10 rows");
  expect(progressText(4, { unit: "rows", total: 10, before: 4 }, 3)).toBe("4 / 10 rows");
  const unknown = { rowsPerSecond: undefined, secondsLeft: undefined };
  expect(progressText(56, { unit: "clusterings", total: 100 }, 0.1, unknown)).toBe("56 / 100 clusterings");
});

test("not a terminal: plain lines at intervals", () => {
  const terminal = collectingTerminal();
  let time = 0;
  const progress = startProgress(terminal, { unit: "rows", total: 1000, lineEvery: 5000, now: () => time });
  for (let done = 1; done <= 1000; done++) {
    time += 20;
    progress.update(done);
  }
  progress.stop();
  expect(terminal.said).toEqual([
    "  250 / 1,000 rows · 50 rows/s · 15 s left",
    "  500 / 1,000 rows · 50 rows/s · 10 s left",
    "  750 / 1,000 rows · 50 rows/s · 5.0 s left",
    "  1,000 / 1,000 rows · 50 rows/s · 0.0 s left",
  ]);
  expect(terminal.printed).toEqual([]);
});

test("on a terminal: one bar, cleared at the end", () => {
  const screen = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: true, columns: 100 });
  const terminal = { ...collectingTerminal(), screen: screen as unknown as NodeJS.WriteStream };
  let time = 0;
  const progress = startProgress(terminal, { unit: "rows", total: 100, now: () => time });
  time = 1000;
  progress.update(50);
  progress.stop();
  const drawn = String(screen.read());
  expect(drawn).toContain("━━━━━━━━━━━━──────────── 50 / 100 rows · 50 rows/s · 1.0 s left");
  expect(drawn).not.toContain("\n");
  expect(drawn.endsWith("\u001b[2K")).toBe(true);
  expect(terminal.said).toEqual([]);
});
