/** Where in the user's material an error lies. Every part is optional; what is known is printed. */
export interface Place {
  readonly file?: string;
  /** 1-based, as editors count. */
  readonly line?: number;
  readonly tensor?: string;
}

interface ErrorDetails {
  readonly place?: Place;
  /** What to try, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * Something the user gave cannot be used: a file, an option, a table, a checkpoint.
 * The command prints `describe()` without a stack and exits with code 2.
 */
export class InputError extends Error {
  readonly place: Place;
  readonly hint: string | undefined;

  constructor(message: string, { place = {}, hint, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.place = place;
    this.hint = hint;
  }

  /** `file:line: tensor "name": message`, then the hint on a line of its own. */
  describe(): string {
    const { file, line, tensor } = this.place;
    const where = file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}`}: `;
    const what = tensor === undefined ? "" : `tensor ${JSON.stringify(tensor)}: `;
    return `${where}${what}${this.message}${this.hint === undefined ? "" : `\n  ${this.hint}`}`;
  }
}

/** A file is not what its format says: names the file, and the line or tensor where it goes wrong. */
export class FormatError extends InputError {
  constructor(place: Place & { readonly file: string }, message: string, hint?: string, cause?: unknown) {
    super(message, { place, ...(hint === undefined ? {} : { hint }), cause });
  }
}

/** A promise of our own code was broken: a bug, shown with its stack. */
export class InternalError extends Error {
  constructor(message: string, cause?: unknown) {
    super(`internal: ${message}`, cause === undefined ? undefined : { cause });
    this.name = "InternalError";
  }
}

const SYSTEM_ERRORS: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  ENOENT: ["there is no such file or folder"],
  ENOTDIR: ["a part of this path is a file, or a link that leads nowhere, not a folder"],
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
  EFBIG: ["the file would be larger than this disk, or ulimit -f, allows"],
  EBUSY: ["the system keeps this busy", "is it open in another program, or the root of a disk?"],
  EPIPE: ["what this is written to was closed"],
  EIO: ["the disk could not be read or written", "look into the system's log; the disk may be damaged"],
  ESTALE: [
    "the server of this disk no longer knows the file",
    "try again; was the folder replaced meanwhile?",
  ],
  ETIMEDOUT: ["the server of this disk does not answer", "try again when it does"],
  EHOSTDOWN: ["the server of this disk does not answer", "try again when it does"],
  ENOTCONN: ["this disk is no longer connected", "mount it again"],
  ENXIO: ["the device behind this path is not there"],
  ENODEV: ["the device behind this path is not there"],
};

/** Code of a system error, such as "ENOENT"; the empty string for any other error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** What the operating system says about a file, as a sentence that names the file; any other error is given back as it is. */
export function fileError(path: string, error: unknown): unknown {
  if (path.includes("\0")) {
    const shown = path.replaceAll("\0", "\\0");
    return new InputError("a path cannot hold the character NUL", { place: { file: shown }, cause: error });
  }
  const saying = SYSTEM_ERRORS[errorCode(error)];
  if (saying === undefined) return error;
  const [message, hint] = saying;
  return new InputError(message, {
    place: { file: path },
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
