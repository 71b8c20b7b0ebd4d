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
