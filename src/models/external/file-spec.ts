import { InputError } from "../../base/errors.ts";

/** A file that is used as a model, with options. */
export interface FileSpec {
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Parses `FILE`, `KIND:FILE` or `KIND:name=value,name=value,FILE`.
 *
 * @param kind     "scores"
 * @param options  allowed values, by option name
 * @throws {InputError} when an option or value is not allowed, or there is no file
 */
export function fileSpec(
  text: string,
  kind: string,
  options: Readonly<Record<string, readonly string[]>>,
): FileSpec {
  if (!text.startsWith(`${kind}:`)) return { path: text, options: {} };
  const given: Record<string, string> = {};
  let rest = text.slice(kind.length + 1);
  for (;;) {
    const [whole, name, value] = /^(\w+)=([^,]*),/.exec(rest) ?? [];
    if (whole === undefined || !Object.hasOwn(options, name)) break;
    const allowed = options[name];
    if (!allowed.includes(value)) {
      throw new InputError(`${name} of ${JSON.stringify(text)} is ${JSON.stringify(value)}`, {
        hint: `expected one of ${allowed.join(", ")}`,
      });
    }
    given[name] = value;
    rest = rest.slice(whole.length);
  }
  if (rest !== "") return { path: rest, options: given };
  throw new InputError(`${JSON.stringify(text)} does not name a file`, {
    hint: `write ${kind}:FILE, or ${kind}:${Object.keys(options)[0]}=VALUE,FILE`,
  });
}
