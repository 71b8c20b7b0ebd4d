import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * Parses the arguments of a script. `--help` prints the usage and exits with 0; unknown or incomplete
 * arguments print their error and the usage, and exit with 2.
 *
 * @param usage    command line with its options in brackets
 * @param options  as `parseArgs` takes them
 */
export function scriptArguments<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  usage: string,
  options: Options,
  { allowPositionals = false }: { readonly allowPositionals?: boolean } = {},
) {
  const own = process.argv.slice(2);
  const end = own.indexOf("--");
  if (own.slice(0, end === -1 ? own.length : end).some((word) => word === "--help" || word === "-h")) {
    console.log(`usage: ${usage}`);
    process.exit(0);
  }
  const parsed = parsedBy(usage, () => parseArgs({ options, allowPositionals: true, args: own }));
  const [unexpected] = parsed.positionals;
  if (unexpected !== undefined && !allowPositionals) {
    rejectArguments(`Unexpected argument '${unexpected}'`, usage);
  }
  return parsed;
}

function parsedBy<T>(usage: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return rejectArguments(error.message.replace(/\. .*/s, ""), usage);
  }
}

/** The number of an option's text; a text that is not a whole number prints an error and exits with 2. */
export function wholeNumber(text: string, option: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return rejectArguments(`${option} is ${JSON.stringify(text)}: expected a whole number`);
}

/** Prints what is wrong with the arguments and exits with 2. */
export function rejectArguments(message: string, usage?: string): never {
  console.error(`error: ${message}${usage === undefined ? "" : `\nusage: ${usage}`}`);
  process.exit(2);
}
