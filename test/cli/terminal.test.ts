import { afterEach, expect, test, vi } from "vitest";
import { processTerminal } from "../../src/cli/terminal.ts";

afterEach(() => vi.restoreAllMocks());

test("replaces control characters of untrusted names", () => {
  const written: unknown[] = [];
  const keep = (text: unknown) => written.push(text) > 0;
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
  const { print, say } = processTerminal();
  print("model \u001b]0;owned\u0007 ×\t0.5\n\u009b2Jnext");
  say("error: \u001b[1Agone\r");
  expect(written).toEqual([
    "model \ufffd]0;owned\ufffd ×\t0.5\n\ufffd2Jnext\n",
    "error: \ufffd[1Agone\ufffd\n",
  ]);
});
