/** Location of an error in the user's input. Known parts are printed. */
export interface Place {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  readonly tensor?: string;
}

interface ErrorDetails {
  readonly place?: Place;
  /** Suggested remedy, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * An error in the user's input: a file, an option, a table, a checkpoint.
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

  /** `file:line: tensor "name": message`, with the hint on a second line. */
  describe(): string {
    const { file, line, tensor } = this.place;
    const where = file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}`}: `;
    const what = tensor === undefined ? "" : `tensor ${JSON.stringify(tensor)}: `;
    return `${where}${what}${this.message}${this.hint === undefined ? "" : `\n  ${this.hint}`}`;
  }
}

/** A file violates its format. Names the file, and the line or tensor if known. */
export class FormatError extends InputError {
  constructor(place: Place & { readonly file: string }, message: string, hint?: string, cause?: unknown) {
    super(message, { place, ...(hint === undefined ? {} : { hint }), cause });
  }
}

/** A bug in this package: the command prints the stack and exits with code 70. */
export class InternalError extends Error {
  constructor(message: string, cause?: unknown) {
    super(`internal: ${message}`, cause === undefined ? undefined : { cause });
    this.name = "InternalError";
  }
}

/** A disk did not respond, or lost a file that was open: the same command may succeed later. */
export class DiskUnavailable extends InputError {}

/** Errors of network disks. Those mounted with the option `soft` report EIO when their server is silent. */
const TEMPORARY_ERRORS: ReadonlySet<string> = new Set([
  "EIO",
  "ESTALE",
  "ETIMEDOUT",
  "EHOSTDOWN",
  "ENOTCONN",
]);

const SYSTEM_ERRORS: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  ENOENT: ["no such file or folder"],
  ENOTDIR: ["part of this path is a file or a broken link, not a folder"],
  EEXIST: ["a file or folder of this name already exists"],
  EISDIR: ["this is a folder; expected a file"],
  EACCES: ["permission denied", "check the permissions of the file and its folder"],
  EPERM: ["operation not permitted"],
  EROFS: ["the file system is read-only"],
  ENOSPC: ["the disk is full", "free some space, or choose a folder on another disk"],
  EDQUOT: ["the disk quota is exceeded", "free some space, or choose a folder on another disk"],
  EMFILE: ["too many files are open", "raise the limit with ulimit -n"],
  ELOOP: ["this link points to itself"],
  ENAMETOOLONG: ["the name is too long for this file system"],
  EFBIG: ["the file would exceed the maximum size of this file system or of ulimit -f"],
  EBUSY: ["the file or folder is busy", "is it open in another program, or a mount point?"],
  EPIPE: ["the reader of this pipe has closed it"],
  EIO: [
    "input/output error of the disk",
    "try again; if it returns, check the system log: the disk may be damaged",
  ],
  ESTALE: ["stale file handle of a network disk", "try again; was the folder replaced?"],
  ETIMEDOUT: ["the server of this network disk does not respond", "try again later"],
  EHOSTDOWN: ["the server of this network disk is down", "try again later"],
  ENOTCONN: ["this network disk is not connected", "mount it again"],
  ENXIO: ["no such device"],
  ENODEV: ["no such device"],
};

/** Message of a thrown value. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Code of a system error, such as "ENOENT"; the empty string for any other error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Converts a system error to an `InputError` that names the file; returns any other error unchanged. */
export function fileError(path: string, error: unknown): unknown {
  if (path.includes("\0")) {
    const shown = path.replaceAll("\0", "\\0");
    return new InputError("a path cannot contain the character NUL", {
      place: { file: shown },
      cause: error,
    });
  }
  const described = SYSTEM_ERRORS[errorCode(error)];
  if (described === undefined) return error;
  const [message, hint] = described;
  const kind = TEMPORARY_ERRORS.has(errorCode(error)) ? DiskUnavailable : InputError;
  return new kind(message, {
    place: { file: path },
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

/** Collects user errors of several steps, to report all at once. */
export class ErrorCollector {
  readonly #errors: InputError[] = [];

  add(error: InputError): void {
    this.#errors.push(error);
  }

  /** Runs a step and returns its result; undefined after a user error. Other errors are thrown at once. */
  async collect<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.add(error);
      return undefined;
    }
  }

  /** Runs a check; false after a user error. */
  async passes(check: () => void): Promise<boolean> {
    const passed = await this.collect(async () => {
      check();
      return true;
    });
    return passed ?? false;
  }

  /**
   * @param where  noun phrase for the message: "the request"
   * @throws {InputError} with all errors, each once, if there are any
   */
  throwTogether(where: string): void {
    const [first] = this.#errors;
    if (first === undefined) return;
    const list = [...new Set(this.#errors.map((error) => error.describe()))];
    if (list.length === 1) throw first;
    throw new InputError(`${list.length} errors in ${where}:\n${list.map(indented).join("\n")}`);
  }
}

const indented = (text: string) => `- ${text.replaceAll("\n", "\n  ")}`;
