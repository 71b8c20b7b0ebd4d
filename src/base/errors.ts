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
