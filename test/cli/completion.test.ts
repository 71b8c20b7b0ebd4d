import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { scratchFiles } from "../scratch-files.ts";
import { runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();

/** Completions of the last word. */
const complete = async (...words: string[]) => {
  const { exitCode, printed, said } = await runCommand(["__complete", ...words]);
  expect([exitCode, said]).toEqual([0, ""]);
  return printed === "" ? [] : printed.split("\n");
};

test("completes commands, and commands of a command", async () => {
  expect(await complete("r")).toEqual(["run", "report"]);
  expect(await complete("models", "f")).toEqual(["fetch"]);
  expect(await complete("")).not.toContain("__complete");
});

test("completes options and their choices", async () => {
  expect(await complete("run", "--pro")).toEqual(["--protocol"]);
  expect(await complete("run", "--protocol", "")).toEqual(["corrected", "paper", "both"]);
  expect(await complete("run", "--protocol", "paper", "")).toEqual([]);
});

test("completes tasks, settings and models, several for one option", async () => {
  expect(await complete("run", "--task", "regul")).toEqual(["regulatory-elements"]);
  expect(await complete("run", "--setting", "probed", "fine")).toEqual(["fine-tuned"]);
  expect(await complete("run", "--model", "toy:hy")).toEqual(["toy:hyenadna"]);
  expect(await complete("models", "fetch", "hyenadna/large")).toEqual(["hyenadna/large-1m"]);
});

test("leaves file names to the shell", async () => {
  expect(await complete("run", "--genome", "")).toEqual([]);
});

test("the bash script completes behind a colon", async () => {
  const { printed } = await runCommand(["completion", "bash"]);
  const script = await scratch.write(
    "completion.bash",
    `dart-eval() { printf '%s\\n' "toy:hyenadna" "toy:caduceus"; }
${printed}
COMP_LINE="dart-eval run --model toy:h" COMP_POINT=27
_dart_eval
printf '%s\\n' "\${COMPREPLY[@]}"
`,
  );
  const { stdout, stderr, status } = spawnSync("bash", [script], { encoding: "utf8" });
  expect([status, stderr, stdout.trim().split("\n")]).toEqual([0, "", ["hyenadna", "caduceus"]]);
});

test("an unknown shell is an error", async () => {
  const { exitCode, said } = await runCommand(["completion", "tcsh"]);
  expect([exitCode, said]).toEqual([2, expect.stringMatching(/'tcsh' is invalid.*bash, zsh, fish/)]);
});
