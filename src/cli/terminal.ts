import type { SingleBar } from "cli-progress";

/** Output of the command: `processTerminal`, or a collecting one in tests. */
export interface Terminal {
  /** Prints results to stdout. */
  print(text: string): void;
  /** Prints progress, hints and errors to stderr. */
  say(text: string): void;
  /** The stream of `say` if it is a terminal that can redraw a bar. */
  readonly screen: NodeJS.WriteStream | undefined;
  /** Bar of one of several jobs on the screen, and the name of its cell. */
  readonly shared?: { readonly bar: SingleBar; readonly cell: string };
}

/**
 * Control characters, which can move the cursor or change the title; names in untrusted files may contain
 * them.
 */
const CONTROL_CHARACTERS = /(?![\n\t])\p{Cc}/gu;

/** A line for a terminal, without control characters. */
export const asText = (text: string): string => `${text.replace(CONTROL_CHARACTERS, "\ufffd")}\n`;

/** Terminal of the process: stdout for results, stderr for everything else. Replaces control characters. */
export function processTerminal(): Terminal {
  return {
    print: (text) => void process.stdout.write(asText(text)),
    say: (text) => void process.stderr.write(asText(text)),
    screen: process.stderr.isTTY && process.env.TERM !== "dumb" ? process.stderr : undefined,
  };
}
