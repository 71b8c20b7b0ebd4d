/** Output of the command: `processTerminal`, or a collecting one in tests. */
export interface Terminal {
  /** Prints results to stdout. */
  print(text: string): void;
  /** Prints progress, hints and errors to stderr. */
  say(text: string): void;
  /** The stream of `say` if it is a terminal that can redraw a bar. */
  readonly screen: NodeJS.WriteStream | undefined;
}

/**
 * Control characters, which can move the cursor or change the title; names in untrusted files may contain
 * them.
 */
const CONTROL_CHARACTERS = /(?![\n\t])\p{Cc}/gu;

const asText = (text: string) => `${text.replace(CONTROL_CHARACTERS, "\ufffd")}\n`;

/** Terminal of the process: stdout for results, stderr for everything else. Replaces control characters. */
export function processTerminal(): Terminal {
  return {
    print: (text) => void process.stdout.write(asText(text)),
    say: (text) => void process.stderr.write(asText(text)),
    screen: process.stderr.isTTY && process.env.TERM !== "dumb" ? process.stderr : undefined,
  };
}
