import { InputError } from "../../base/errors.ts";

/**
 * The words of a command as a person types it: apart by blanks; quotes of either kind keep what is between them together.
 * There is no shell, so nothing else is special; a backslash is a letter, as paths of Windows need it.
 *
 * @throws {InputError} when there is no word, or a quote is not closed
 */
export function commandWords(command: string): readonly [string, ...string[]] {
  const words: string[] = [];
  const word = /(?:"([^"]*)"|'([^']*)'|([^\s"']+))/y;
  let at = 0;
  let apart = true;
  while (at < command.length) {
    const blanks = /\s*/y;
    blanks.lastIndex = at;
    const skipped = blanks.exec(command)![0].length;
    if (skipped > 0) {
      at += skipped;
      apart = true;
      continue;
    }
    word.lastIndex = at;
    const found = word.exec(command);
    if (found === null) {
      throw new InputError(`a quote is not closed in ${JSON.stringify(command)}`);
    }
    const text = found[1] ?? found[2] ?? found[3] ?? "";
    if (apart) words.push(text);
    else words.push(`${words.pop()}${text}`);
    apart = false;
    at = word.lastIndex;
  }
  const [program, ...rest] = words;
  if (program === undefined || program === "") {
    throw new InputError("the command of the adapter is empty", { hint: "write stdio:python3 adapter.py" });
  }
  return [program, ...rest];
}
