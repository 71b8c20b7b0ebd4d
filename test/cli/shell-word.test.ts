import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "../../src/cli/command.ts";

test("leaves a plain path unchanged", () => {
  expect(shellWord("runs/é_1/a-b.tsv")).toBe("runs/é_1/a-b.tsv");
  expect(shellWord("elements=table.tsv")).toBe("elements=table.tsv");
});

test.skipIf(process.platform === "win32")("a shell reads back every word [needs a POSIX shell]", () => {
  for (const word of [
    "with space",
    "it's",
    "$HOME",
    "~",
    "a;b",
    "",
    "*",
    'say "hi"',
    "runs/(1)",
    "#x",
    "\\",
  ]) {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" })).toBe(word);
  }
});

test("on Windows: backslashes are plain, blanks are quoted as cmd and PowerShell take them", () => {
  expect(shellWord("C:\\runs\\a-b.tsv", "win32")).toBe("C:\\runs\\a-b.tsv");
  expect(shellWord("C:\\my runs\\a.tsv", "win32")).toBe('"C:\\my runs\\a.tsv"');
  expect(shellWord("%TEMP%", "win32")).toBe('"%TEMP%"');
});
