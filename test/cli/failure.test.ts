import { expect, test } from "vitest";
import { FormatError, fileError, InternalError } from "../../src/base/errors.ts";
import { LockHeld, LockLost } from "../../src/base/file-lock.ts";
import { failureOf, Interrupted } from "../../src/cli/failure.ts";
import { GraphError } from "../../src/net/graph/graph-error.ts";

test("a user error: file, line, hint; no stack", () => {
  const error = new FormatError(
    { file: "peaks.bed", line: 3 },
    "end 5 is not after start 9",
    "Swap columns 2 and 3.",
  );
  expect(failureOf(error)).toEqual({
    text: "error: peaks.bed:3: end 5 is not after start 9\n  Swap columns 2 and 3.",
    exitCode: 2,
  });
});

test("a user error with --verbose: its stack and that of its cause", () => {
  const { text, exitCode } = failureOf(
    new FormatError({ file: "mine.js" }, "failed", undefined, new RangeError("offset 9")),
    { verbose: true },
  );
  expect(exitCode).toBe(2);
  expect(text).toMatch(/^error: mine\.js: failed\n\nFormatError: failed\n\s+at /);
  expect(text).toMatch(/caused by: RangeError: offset 9\n\s+at /);
  expect(text).not.toContain("Please report it");
});

test("a mistake in a graph of a command: a bug, with its stack", () => {
  const { text, exitCode } = failureOf(new GraphError("matMul: [2, 3] × [4, 5]"));
  expect(exitCode).toBe(70);
  expect(text).toMatch(/^GraphError: matMul: \[2, 3\] × \[4, 5\]\n\s+at /);
  expect(text).toContain("Please report it");
});

test("an internal error: its stack, its cause, a request to report", () => {
  const { text, exitCode } = failureOf(new InternalError("a promise was broken", new RangeError("offset 9")));
  expect(exitCode).toBe(70);
  expect(text).toMatch(/internal: a promise was broken\n\s+at /);
  expect(text).toMatch(/caused by: RangeError: offset 9\n\s+at /);
  expect(text).toContain("Please report it");
});

test("a thrown value that is not an Error", () => {
  expect(failureOf("a string")).toMatchObject({ exitCode: 70 });
  expect(failureOf("a string").text).toContain("a string");
});

test("a lock of another process: try again later", () => {
  const hint = "wait for it";
  expect(
    failureOf(new LockHeld("process 7 has held this lock", { place: { file: "a.lock" }, hint })),
  ).toEqual({
    text: "error: a.lock: process 7 has held this lock\n  wait for it",
    exitCode: 75,
  });
  expect(failureOf(new LockLost("process 8 took this over"))).toMatchObject({ exitCode: 75 });
});

test("a network disk that does not respond: try again later", () => {
  const stale = Object.assign(new Error("ESTALE: stale file handle, write"), { code: "ESTALE" });
  expect(failureOf(fileError("rows.jsonl", stale))).toEqual({
    text: "error: rows.jsonl: stale file handle of a network disk\n  try again; was the folder replaced?",
    exitCode: 75,
  });
});

test("an interruption: how to resume, and the shell's exit code", () => {
  expect(failureOf(new Interrupted("SIGINT"), { resume: "Start it again." })).toEqual({
    text: "stopped. Start it again.",
    exitCode: 130,
  });
  expect(failureOf(new Interrupted("SIGTERM"))).toEqual({ text: "stopped.", exitCode: 143 });
  expect(failureOf(new Interrupted("SIGHUP"))).toEqual({ text: "stopped.", exitCode: 129 });
});
