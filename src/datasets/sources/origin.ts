import { basename, relative, sep } from "node:path";
import { z } from "zod";
import { cachedDigest } from "../../base/digest.ts";
import { fileSize } from "../../base/folder.ts";
import { SOURCES } from "./catalogue.ts";
import { dataFolderOf, type RecordedFile, readDataRecord, recordFiles } from "./data-record.ts";
import { addressText } from "./locate.ts";

/** Origin of a file's contents, identified by digest. */
export interface FileOrigin {
  /** The file's name, without its folder. */
  readonly file: string;
  /** Name of a source of the benchmark; absent for custom data. */
  readonly source?: string;
  /** Present if `dart-eval build` made the file from the source with published settings. */
  readonly built?: true;
}

export const fileOriginSchema: z.ZodType<FileOrigin> = z.object({
  file: z.string(),
  source: z.string().exactOptional(),
  built: z.literal(true).exactOptional(),
});

/**
 * Identifies a file as a source of the benchmark by its digest, which must be published, or recorded by
 * `dart-eval data fetch` or `dart-eval build`. The file's name and folder are no evidence.
 *
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
  // Digest large files only if their size is that of a source.
  if (candidates.length === 0) return { file };
  const digest = await cachedDigest(path);
  return { file, ...candidates.find(({ sha256 }) => sha256 === digest)?.origin };
}

/** Source of a record; undefined for a file that was already in the folder, whose record is no evidence. */
function sourceOf({ path, from, madeOf }: RecordedFile): Omit<FileOrigin, "file"> | undefined {
  if (madeOf !== undefined) return { source: madeOf, built: true };
  const source = SOURCES.find(
    (one) => one.path === path && one.addresses.some((address) => addressText(address) === from),
  );
  return source === undefined ? undefined : { source: source.name };
}

/**
 * Records the source of a built file in its data folder. Does nothing for a file outside a data folder.
 *
 * @param path     the built file
 * @param madeOf   name of the source that it was built from
 * @param command  such as "dart-eval build regulatory-elements"
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
