import { hostname } from "node:os";
import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { writeCacheFile } from "../../base/write-file.ts";
import { parseRecord, readableJson } from "./run-folder.ts";

/** Start of the scoring of rows by the process that holds a shard. */
export interface ScoringNote {
  /** ISO 8601. */
  readonly since: string;
  /** Rows that were done before. */
  readonly rowsBefore: number;
}

/** Error that ended the last process of a shard. */
export interface FailureNote {
  /** ISO 8601. */
  readonly at: string;
  readonly host: string;
  readonly pid: number;
  readonly message: string;
}

const scoringSchema: z.ZodType<ScoringNote> = z.object({ since: z.iso.datetime(), rowsBefore: z.int() });

const failureSchema: z.ZodType<FailureNote> = z.object({
  at: z.iso.datetime(),
  host: z.string(),
  pid: z.int(),
  message: z.string(),
});

/** Notes are for `runStatus` alone: a full disk does not stop a run because of them. */
export function noteScoring(file: string, rowsBefore: number): Promise<void> {
  const note: ScoringNote = { since: new Date().toISOString(), rowsBefore };
  return writeCacheFile(file, readableJson(note));
}

export function noteFailure(file: string, error: unknown): Promise<void> {
  const message = error instanceof InputError ? error.describe() : String(error);
  const note: FailureNote = {
    at: new Date().toISOString(),
    host: hostname(),
    pid: process.pid,
    message,
  };
  return writeCacheFile(file, readableJson(note));
}

export const readScoring = (file: string): Promise<ScoringNote | undefined> => readNote(file, scoringSchema);
export const readFailure = (file: string): Promise<FailureNote | undefined> => readNote(file, failureSchema);

async function readNote<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await textIfPresent(file);
  return text === undefined ? undefined : parseRecord(file, text, schema);
}
