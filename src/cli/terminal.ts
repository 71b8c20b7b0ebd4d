/** Where the command writes. Tests give one that collects; the real one is `processTerminal`. */
export interface Terminal {
  /** Results: what a pipe or a file should get. */
  print(text: string): void;
  /** Progress, hints and errors: what a person should see. */
  say(text: string): void;
  /** The stream behind `say` when it is a terminal on which a bar can be redrawn. */
  readonly screen: NodeJS.WriteStream | undefined;
}

/**
 * What a terminal takes for orders (move the cursor, change the title) and not for text. Names in a stranger's files may hold
 * them.
 */
const CONTROL_CHARACTERS = /(?![\n\t])\p{Cc}/gu;

const asText = (text: string) => `${text.replace(CONTROL_CHARACTERS, "\ufffd")}\n`;

/**
 * stdout for results, stderr for everything else. Each text is a whole line or several; what would steer a terminal is
 * replaced.
 */
export function processTerminal(): Terminal {
  return {
    print: (text) => void process.stdout.write(asText(text)),
    say: (text) => void process.stderr.write(asText(text)),
    screen: process.stderr.isTTY && process.env.TERM !== "dumb" ? process.stderr : undefined,
  };
}
