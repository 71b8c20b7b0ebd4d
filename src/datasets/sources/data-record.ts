import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { isInsidePath, kindOfPath } from "../../base/folder.ts";
import { firstIssue } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";

/** Record of one file of a data folder. */
export interface RecordedFile {
  /** Relative to the data folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Origin as text, such as an address without signature. */
  readonly from: string;
  /**
   * Name of the source from which `dart-eval build` made it with published settings; absent for a source's
   * own file.
   */
  readonly madeOf?: string;
  /** ISO 8601. */
  readonly since: string;
}

const schema = z.strictObject({
  format: z.literal("dart-eval data"),
  formatVersion: z.literal(1),
  files: z.array(
    z.strictObject({
      path: z.string().refine(isInsidePath, "a path that leaves the folder"),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      from: z.string(),
      madeOf: z.string().exactOptional(),
      since: z.string(),
    }),
  ),
});

const RECORD_NAME = "dart-eval-data.json";
const recordPath = (folder: string) => join(folder, RECORD_NAME);

/** Data folder of a file: its nearest parent folder with a record; undefined if there is none. */
export async function dataFolderOf(path: string): Promise<string | undefined> {
  for (let folder = dirname(resolve(path)), above = ""; folder !== above; folder = dirname(folder)) {
    if ((await kindOfPath(recordPath(folder))) === "file") return folder;
    above = folder;
  }
  return undefined;
}

/** Files that `dart-eval data` put into a folder, if any. @throws {FormatError} when the record is damaged */
export async function readDataRecord(folder: string): Promise<readonly RecordedFile[]> {
  const file = recordPath(folder);
  const text = await textIfPresent(file);
  if (text === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError({ file }, "the record of the data folder is not JSON", DAMAGED, cause);
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data.files;
  throw new FormatError(
    { file },
    `the record of the data folder is damaged at ${firstIssue(error, "the top")}`,
    DAMAGED,
  );
}

const DAMAGED = "delete it: dart-eval data fetch recreates it for the existing files";

/** Adds files to the record and replaces entries of the same paths. Safe for concurrent processes. */
export async function recordFiles(folder: string, files: readonly RecordedFile[]): Promise<void> {
  await using _ = await waitForLock(`${recordPath(folder)}.lock`, { pause: 50 });
  const paths = new Set(files.map(({ path }) => path));
  const others = (await readDataRecord(folder)).filter(({ path }) => !paths.has(path));
  const all = [...others, ...files].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const record = { format: "dart-eval data", formatVersion: 1, files: all };
  await removeTemporaryFiles(recordPath(folder));
  await writeFileAtomic(recordPath(folder), `${JSON.stringify(record, null, 2)}\n`);
}
