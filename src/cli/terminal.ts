/** Where the command writes. Tests give one that collects; the real one is `processTerminal`. */
export interface Terminal {
  /** Results: what a pipe or a file should get. */
  print(text: string): void;
  /** Progress, hints and errors: what a person should see. */
  say(text: string): void;
  /** The stream behind `say` when it is a terminal on which a bar can be redrawn. */
  readonly screen: NodeJS.WriteStream | undefined;
}

/** stdout for results, stderr for everything else. Each text is a whole line or several. */
export function processTerminal(): Terminal {
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    screen: process.stderr.isTTY && process.env.TERM !== "dumb" ? process.stderr : undefined,
  };
}
