import { describe, expect, test } from "vitest";
import { version } from "../../src/base/package.ts";
import { TASKS } from "../../src/evaluation/tasks/catalogue.ts";
import { runCommand } from "./collecting-terminal.ts";

const COMMANDS = ["demo", "build", "run", "merge", "report", "models", "tasks", "profile", "doctor"];

describe("help", () => {
  test("the overview names every command, and goes to standard output", async () => {
    const { exitCode, printed, said } = await runCommand(["--help"]);
    expect(exitCode).toBe(0);
    expect(said).toBe("");
    for (const name of COMMANDS) expect(printed).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
  });

  test.each(
    [
      ...COMMANDS,
      "build regulatory-elements",
      "models list",
      "models init",
      "models fetch",
      "models verify",
      "models conform",
    ].map((command) => [command]),
  )("%s has help with an example", async (command) => {
    const { exitCode, printed } = await runCommand([...command.split(" "), "--help"]);
    expect(exitCode).toBe(0);
    expect(printed).toContain(`Usage: dart-eval ${command}`);
    // A group shows its commands, a command its examples.
    expect(printed).toMatch(
      ["build", "models"].includes(command) ? /Commands:/ : /Examples:\n {2}# .+\n {2}\$ dart-eval /,
    );
  });

  test("help run is run --help", async () => {
    const [long, short] = [await runCommand(["help", "run"]), await runCommand(["run", "--help"])];
    expect(long.printed).toBe(short.printed);
    expect(long.exitCode).toBe(0);
  });

  test("help of an unknown command", async () => {
    const { exitCode, said } = await runCommand(["help", "rnu"]);
    expect([exitCode, said]).toEqual([
      2,
      expect.stringMatching(/^error: unknown command 'rnu'\n\(Did you mean run\?\)/),
    ]);
  });

  test("the version", async () => {
    expect(await runCommand(["--version"])).toMatchObject({ exitCode: 0, printed: version });
  });

  test("no arguments: the overview, as an error", async () => {
    const { exitCode, printed, said } = await runCommand([]);
    expect(exitCode).toBe(2);
    expect(printed).toBe("");
    expect(said).toContain("Runs:");
  });
});

describe("a user error is one message, without a stack, and exit code 2", () => {
  test.each([
    ["an unknown command", ["rum"], /unknown command 'rum'\n\(Did you mean run\?\)/],
    ["an unknown option", ["tasks", "--jsn"], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    ["a missing option", ["run", "--task", "x"], /required option '--out <folder>' not specified/],
    ["an argument too many", ["tasks", "all"], /too many arguments/],
    ["a missing argument", ["merge"], /missing required argument 'folder'/],
    ["a value that is no choice", ["doctor", "--device", "tpu"], /'tpu' is invalid.*cpu, webgpu/],
    [
      "a value that is not a number",
      ["run", "--task", "x", "--model", "y", "--out", "z", "--limit", "1e3"],
      /'1e3' is invalid.*whole number, 1 or more/,
    ],
  ])("%s", async (_, words, message) => {
    const { exitCode, printed, said } = await runCommand(words);
    expect(said).toMatch(message);
    expect(said).toMatch(/Try dart-eval .*--help/);
    expect(said).not.toMatch(/^\s+at /m);
    expect(printed).toBe("");
    expect(exitCode).toBe(2);
  });

  test("an invalid shard", async () => {
    const words = ["run", "--task", "x", "--model", "y", "--out", "z", "--shard", "4/3"];
    const { exitCode, said } = await runCommand(words);
    expect(said).toMatch(/^error: .*4/);
    expect(exitCode).toBe(2);
  });

  test("an unknown task lists the tasks", async () => {
    const { exitCode, said } = await runCommand([
      "run",
      "--task",
      "elements",
      "--model",
      "kmer-markov",
      "--out",
      "x",
    ]);
    expect(exitCode).toBe(2);
    expect(said).toBe(
      `error: there is no task "elements"\n  tasks: ${TASKS.map(({ name }) => name).join(", ")}`,
    );
  });

  test("a folder without a run", async () => {
    const { exitCode, said } = await runCommand(["merge", import.meta.dirname]);
    expect(exitCode).toBe(2);
    expect(said).toContain(import.meta.dirname);
  });
});

test.each<readonly [string, readonly string[], RegExp]>([
  [
    "a misspelled task",
    ["run", "--task", "regulatory", "--model", "y", "--out", "z"],
    /did you mean regulatory-elements\?/,
  ],
  [
    "a misspelled setting",
    ["run", "--task", "regulatory-elements", "--setting", "zeroshot", "--model", "y", "--out", "z"],
    /did you mean zero-shot\?/,
  ],
  ["a misspelled model", ["models", "fetch", "hyenadna/large1m"], /did you mean hyenadna\/large-1m\?/],
  ["a misspelled suite", ["suites", "mni"], /did you mean mini\?/],
  ["a misspelled published model", ["published", "--model", "hyenadn"], /did you mean HyenaDNA\?/],
])("%s: the closest name is suggested", async (_, words, message) => {
  const { exitCode, said } = await runCommand(words);
  expect([exitCode, said]).toEqual([2, expect.stringMatching(message)]);
});
