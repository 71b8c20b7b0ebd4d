/** Untrusted text for a message: quoted, control characters escaped, truncated to 60 characters. */
export function quotedText(text: string): string {
  return text.length > 60 ? `${JSON.stringify(text.slice(0, 60))}…` : JSON.stringify(text);
}

/** Untrusted value for a message: JSON truncated to 120 characters, or `absent` if undefined. */
export function shownValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** Count with its noun: `1 row`, `12,034 rows`, `0 entries`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}

/** Size with one decimal: `13.0 GiB`; negative sizes count as 0. */
export const gibibytes = (bytes: number): string => `${(Math.max(bytes, 0) / 2 ** 30).toFixed(1)} GiB`;

/**
 * Hint for a name that is not known: the closest known name, if one is close, then all of them.
 *
 *     namesHint("settings", "zeroshot", ["zero-shot", "probed"])
 *     // did you mean zero-shot? settings: zero-shot, probed
 */
export function namesHint(what: string, name: string, known: readonly string[]): string {
  return `${suggestion(name, known)}${what}: ${known.join(", ")}`;
}

/** `did you mean zero-shot? `, or nothing where no known name is close or begins with the text. */
export function suggestion(name: string, known: readonly string[]): string {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const given = plain(name.slice(0, MAX_NAME_LENGTH));
  const maxDistance = Math.max(1, Math.floor(given.length / 4));
  let closest: { readonly one: string; readonly distance: number } | undefined;
  for (const one of known) {
    const text = plain(one);
    const distance = given.length > 3 && text.startsWith(given) ? 0.5 : editDistance(given, text);
    if (distance <= maxDistance && distance < (closest?.distance ?? Number.POSITIVE_INFINITY))
      closest = { one, distance };
  }
  return closest === undefined || given === "" ? "" : `did you mean ${closest.one}? `;
}

/** Longest text that is compared with known names. */
const MAX_NAME_LENGTH = 100;

/** Levenshtein distance, in which an exchange of neighbours counts once (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let above: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? above[j - 2] + 1 : replaced;
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, replaced, exchanged));
    }
    above = row;
    row = next;
  }
  return row[b.length];
}

/** Folders of a user: POSIX, macOS, the superuser's, Windows. */
const HOME = /^(?:\/home\/[^/]+|\/Users\/[^/]+|\/root|[A-Za-z]:[\\/]Users[\\/][^\\/]+)(?=[\\/]|$)/;

/** An absolute path as a word, after the `=` of an option, or in a quoted list; no part of a URL. */
const ABSOLUTE = /(?<=^(?:-\w)?|[\s"'[(=,:]|\s-\w)(?:file:\/\/)?(?:[A-Za-z]:)?[\\/](?!\/)[^\s"'\])=,:]*/g;

/**
 * A text with its absolute paths shortened, for documents that others read: `~` stands for any user's home
 * folder, `…` for the folders of another path. Relative paths and URLs stay.
 *
 * `run --genome /data/hg38.fa --out /home/ann/runs/markov` becomes
 * `run --genome …/hg38.fa --out ~/runs/markov`.
 */
export function shortenPaths(text: string): string {
  return text.replace(ABSOLUTE, (found) => {
    const path = found.replace(/^file:\/\//, "");
    if (HOME.test(path)) return path.replace(HOME, "~");
    const [last] = /[\\/][^\\/]*[\\/]?$/.exec(path) ?? [path];
    return last === path ? path : `…${last}`;
  });
}

/** Source of a regular expression that matches exactly this text, outside a character class. */
export const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
