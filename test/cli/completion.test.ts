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

/** True where the program is installed. */
const installed = (program: string) => spawnSync(program, ["--version"]).status === 0;

test.skipIf(!installed("zsh"))("zsh completes words behind a colon, and file names [needs zsh]", async () => {
  const { printed } = await runCommand(["completion", "zsh"]);
  const completion = await scratch.write("completion.zsh", printed);
  const genome = await scratch.write("genome.fa", "");
  // An interactive zsh behind a pseudo terminal; each read waits for its pattern.
  const script = await scratch.write(
    "session.zsh",
    `zmodload zsh/zpty
zpty shell "zsh -f -i"
zpty -w shell 'autoload -Uz compinit && compinit -u -D; bindkey "^I" complete-word
dart-eval() { [[ "$*" == "__complete run --model toy:h" ]] && print -l toy:hyenadna }
source "${completion}"; print RE""ADY'
zpty -r shell seen '*READY*'
zpty -w -n shell $'dart-eval run --model toy:h\t'
zpty -r shell seen '*toy:hyenadna*'
zpty -w -n shell $'\x15dart-eval run --genome ${genome.slice(0, -5)}\t'
zpty -r shell seen '*${genome}*'
zpty -d shell
print completed`,
  );
  const { status, stdout, stderr } = spawnSync("zsh", ["-f", script], { encoding: "utf8", timeout: 20_000 });
  expect([status, stderr, stdout]).toEqual([0, "", "completed\n"]);
});

test.skipIf(!installed("fish"))(
  "fish completes words behind a colon, and file names where there are none [needs fish]",
  async () => {
    const { printed } = await runCommand(["completion", "fish"]);
    const completion = await scratch.write("completion.fish", printed);
    const genome = await scratch.write("genome.fa", "");
    const script = await scratch.write(
      "session.fish",
      `function dart-eval
  if test "$argv" = "__complete run --model toy:h" -o "$argv" = "__complete run --model "
    printf '%s\\n' toy:hyenadna
  end
end
source "${completion}"
complete -C "dart-eval run --model toy:h"
complete -C "dart-eval run --model "
complete -C "dart-eval run --genome ${genome.slice(0, -5)}"`,
    );
    const env = { ...process.env, HOME: scratch.path("."), XDG_CONFIG_HOME: scratch.path(".") };
    const { status, stdout, stderr } = spawnSync("fish", ["--no-config", script], { encoding: "utf8", env });
    expect([status, stderr, stdout.trim().split("\n")]).toEqual([
      0,
      "",
      ["toy:hyenadna", "toy:hyenadna", genome],
    ]);
  },
);

test("an unknown shell is an error", async () => {
  const { exitCode, said } = await runCommand(["completion", "tcsh"]);
  expect([exitCode, said]).toEqual([2, expect.stringMatching(/'tcsh' is invalid.*bash, zsh, fish/)]);
});
