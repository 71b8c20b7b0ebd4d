import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileTrouble } from "./file-trouble.ts";

/** A new folder where the system keeps what is temporary; `await using` removes it with all that is in it. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

/** @throws {InputError} when none can be made */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const prefix = join(tmpdir(), "dart-eval-");
  const path = await mkdtemp(prefix).catch((error) => Promise.reject(fileTrouble(prefix, error)));
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
