import { basename, relative, sep } from "node:path";
import { z } from "zod";
import { cachedDigest } from "../../base/cached-digest.ts";
import { fileSize } from "../../base/folder.ts";
import { SOURCES } from "./catalogue.ts";
import { dataFolderOf, type RecordedFile, readDataRecord, recordFiles } from "./data-record.ts";
import { addressText } from "./locate.ts";

/** Where the contents of a file come from, as far as their digest shows. */
export interface FileOrigin {
  /** The file's name, without its folder. */
  readonly file: string;
  /** Name of a source of the benchmark; absent for custom data. */
  readonly source?: string;
  /** The file is what `dart-eval build` makes of the source, as published. */
  readonly built?: true;
}

export const fileOriginSchema: z.ZodType<FileOrigin> = z.object({
  file: z.string(),
  source: z.string().exactOptional(),
  built: z.literal(true).exactOptional(),
});

/**
 * The source of the benchmark that a file is, by the digest of its bytes: it is that of a published file, or the one that
 * `dart-eval data fetch` recorded when it downloaded the source, or the one that `dart-eval build` recorded. The name of a
 * file, and where it is, show nothing.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the record of its data folder is damaged
 */
export async function fileOrigin(path: string): Promise<FileOrigin> {
  const file = basename(path);
  const folder = await dataFolderOf(path);
  const recorded = folder === undefined ? [] : await readDataRecord(folder);
  const known = [
    ...SOURCES.map(({ name, expected }) => ({ origin: { source: name }, ...expected })),
    ...recorded.map((entry) => ({ origin: sourceOf(entry), bytes: entry.bytes, sha256: entry.sha256 })),
  ];
  const bytes = await fileSize(path);
  const candidates = known.filter((one) => one.origin !== undefined && one.bytes === bytes);
  // Gigabytes are digested only where they may be a source's.
  if (candidates.length === 0) return { file };
  const digest = await cachedDigest(path);
  return { file, ...candidates.find(({ sha256 }) => sha256 === digest)?.origin };
}

/** A file that was found in the folder, or put there, is recorded too and is no evidence. */
function sourceOf({ path, from, madeOf }: RecordedFile): Omit<FileOrigin, "file"> | undefined {
  if (madeOf !== undefined) return { source: madeOf, built: true };
  const source = SOURCES.find(
    (one) => one.path === path && one.addresses.some((address) => addressText(address) === from),
  );
  return source === undefined ? undefined : { source: source.name };
}

/**
 * Records, in the data folder that a built file is in, what it was built of; outside of a data folder nothing is recorded.
 *
 * @param path     the built file
 * @param madeOf   name of the source that the build turns into the benchmark's table
 * @param command  that made it: "dart-eval build regulatory-elements"
 */
export async function recordBuilt(path: string, madeOf: string, command: string): Promise<void> {
  const folder = await dataFolderOf(path);
  if (folder === undefined) return;
  await recordFiles(folder, [
    {
      path: relative(folder, path).split(sep).join("/"),
      bytes: await fileSize(path),
      sha256: await cachedDigest(path),
      from: `${command}, of ${madeOf}`,
      madeOf,
      since: new Date().toISOString(),
    },
  ]);
}
