import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { compiled } from "../compiled.ts";

/** Runs the program in a separate process by the shell command `line`, which redirects its output. */
function inShell(line: string) {
  const program = `"${process.execPath}" "${compiled("src/cli/main.ts")}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line.replaceAll("dart-eval", program)], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test.runIf(process.platform === "linux")(
  "a full disk behind standard output is an error without a stack",
  () => {
    const { status, stderr } = inShell("dart-eval published --json > /dev/full");
    expect(stderr).toMatch(/^error: standard output: the disk is full\n {2}free some space.*\n$/);
    expect(status).toBe(2);
  },
);

test.skipIf(process.platform === "win32")(
  "a reader that leaves early is no error [needs a POSIX shell]",
  () => {
    const { stdout, stderr } = inShell("set -o pipefail; dart-eval published --json | head -1; echo $?");
    expect([stdout, stderr]).toEqual(["[\n0\n", ""]);
  },
);
