import { expect, test } from "vitest";
import { commandWords } from "../../../src/models/external/stdio-channel.ts";

test.each<[string, string[]]>([
  ["python3 adapter.py", ["python3", "adapter.py"]],
  ["  python3\tadapter.py \n", ["python3", "adapter.py"]],
  [`python3 "my adapter.py" --name='a "b"'`, ["python3", "my adapter.py", '--name=a "b"']],
  [`x "" ''y`, ["x", "", "y"]],
  [`"a"b'c'`, ["abc"]],
  [String.raw`C:\tools\python.exe a\b.py`, [String.raw`C:\tools\python.exe`, String.raw`a\b.py`]],
  ["a $HOME | b; c > d", ["a", "$HOME", "|", "b;", "c", ">", "d"]],
])("%s", (command, words) => {
  expect(commandWords(command)).toEqual(words);
});

test.each([
  ["", /is empty/],
  ["   ", /is empty/],
  [`""`, /is empty/],
  [`python3 "adapter.py`, /a quote is not closed/],
  [`it's`, /a quote is not closed/],
])("%j is an error", (command, message) => {
  expect(() => commandWords(command)).toThrow(message);
});
