import { dispatch } from "../../src/cli/dispatch.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

export interface CollectingTerminal extends Terminal {
  readonly printed: string[];
  readonly said: string[];
}

export function collectingTerminal(): CollectingTerminal {
  const printed: string[] = [];
  const said: string[] = [];
  return {
    printed,
    said,
    screen: undefined,
    print: (text) => void printed.push(text),
    say: (text) => void said.push(text),
  };
}

/** Runs a command line in this process; words are given as a shell would split them. */
export async function runCommand(words: readonly string[], signal = new AbortController().signal) {
  const terminal = collectingTerminal();
  const exitCode = await dispatch(words, terminal, signal);
  return { exitCode, printed: terminal.printed.join("\n"), said: terminal.said.join("\n") };
}
