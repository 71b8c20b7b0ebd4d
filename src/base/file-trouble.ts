import { InputError } from "./errors.ts";

const SAYINGS: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  ENOENT: ["there is no such file or folder"],
  ENOTDIR: ["a part of this path is a file, not a folder"],
  EEXIST: ["a file or folder of this name is in the way"],
  EISDIR: ["this is a folder; a file was expected"],
  EACCES: ["permission denied", "may this user read the file, or write in the folder?"],
  EPERM: ["the operation is not permitted"],
  EROFS: ["the disk is read-only"],
  ENOSPC: ["the disk is full", "free some space, or choose a folder on another disk"],
  EDQUOT: ["the disk quota is used up", "free some space, or choose a folder on another disk"],
  EMFILE: ["too many files are open", "raise the limit with ulimit -n"],
  ELOOP: ["this link points to itself"],
  ENAMETOOLONG: ["the name is too long for this disk"],
};

/** What the operating system says about a file, as a sentence that names the file; any other error is given back as it is. */
export function fileTrouble(path: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const saying = SAYINGS[code];
  if (saying === undefined) return error;
  const [message, hint] = saying;
  return new InputError(message, {
    place: { file: path },
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
