import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { digestFile, mismatch } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { fileSize, filesBelow, isInsidePath, kindOfPath } from "../../base/folder.ts";
import { firstIssue } from "../../base/json.ts";
import { version } from "../../base/package.ts";
import { fileChunks } from "../../base/read-file.ts";
import { readTar, type TarFileEntry, writeTar } from "../../base/tar-file.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { type RecordedFile, readDataRecord, recordFiles } from "./data-record.ts";

/** File entry of a bundle's manifest. */
export interface BundledFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly from: string;
  readonly madeOf?: string;
}

export interface BundleOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with bytes done and bytes of all files. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface WriteBundleOptions extends BundleOptions {
  /** Additional folders, such as checkpoints, by the name they get in the data folder. */
  readonly more?: Readonly<Record<string, string>>;
}

const MANIFEST = "dart-eval-bundle.json";
const MAX_MANIFEST_BYTES = 64 * 2 ** 20;
const RECORD = "dart-eval-data.json";

const manifestSchema = z.strictObject({
  format: z.literal("dart-eval bundle"),
  formatVersion: z.literal(1),
  toolkit: z.string(),
  files: z
    .array(
      z.strictObject({
        path: z.string().refine(isInsidePath, "a path that leaves the folder"),
        bytes: z.int().nonnegative(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        from: z.string(),
        madeOf: z.string().exactOptional(),
      }),
    )
    .min(1),
});

/**
 * Writes a data folder into one archive for a machine without network access: a tar file that begins with a
 * manifest of sizes and digests.
 *
 * @throws {InputError} when a recorded file has changed since it was fetched, or the folder is empty
 */
export async function writeBundle(
  folder: string,
  out: string,
  { more = {}, signal, onProgress }: WriteBundleOptions = {},
): Promise<readonly BundledFile[]> {
  const files: (BundledFile & { readonly place: string })[] = [];
  const recorded = new Map((await readDataRecord(folder)).map((file) => [file.path, file]));
  for (const path of await filesBelow(folder)) {
    signal?.throwIfAborted();
    if (path !== RECORD) files.push(await described(folder, path, path, recorded.get(path)));
  }
  for (const [name, from] of Object.entries(more)) {
    if (!isInsidePath(name)) throw new InputError(`${JSON.stringify(name)} is not a valid folder name`);
    for (const path of await filesBelow(from)) {
      signal?.throwIfAborted();
      files.push(await described(from, path, `${name}/${path}`, undefined));
    }
  }
  if (files.length === 0) {
    throw new InputError("the data folder is empty", {
      place: { file: folder },
      hint: "dart-eval data fetch downloads files",
    });
  }
  const manifest = files.map(({ place: _, ...file }) => file);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const text = Buffer.from(
    `${JSON.stringify({ format: "dart-eval bundle", formatVersion: 1, toolkit: version, files: manifest }, null, 1)}\n`,
  );
  let done = 0;
  await writeTar(
    out,
    (async function* () {
      yield { path: MANIFEST, bytes: text.length, contents: text };
      for (const { path, bytes, place } of files) yield { path, bytes, contents: chunks(place, bytes) };
    })(),
  );
  return manifest;

  async function* chunks(place: string, bytes: number) {
    let read = 0;
    for await (const chunk of fileChunks(place)) {
      signal?.throwIfAborted();
      read += chunk.length;
      if (read > bytes) break;
      yield chunk;
      done += chunk.length;
      onProgress?.(done, total);
    }
    if (read !== bytes)
      throw new InputError("the file changed while it was bundled", { place: { file: place } });
  }
}

async function described(folder: string, path: string, name: string, known: RecordedFile | undefined) {
  const place = join(folder, path);
  if (!isInsidePath(name)) {
    throw new InputError("the file name is not portable to other systems", {
      place: { file: place },
      hint: "rename the file or move it out of the folder",
    });
  }
  const file = { path: name, bytes: await fileSize(place), sha256: await digestFile(place), place };
  if (known !== undefined && known.sha256 !== file.sha256) {
    throw new InputError("the file has changed since it was fetched", {
      place: { file: place },
      hint: "run dart-eval data verify",
    });
  }
  const { from = "made or put here", madeOf } = known ?? {};
  return { ...file, from, ...(madeOf === undefined ? {} : { madeOf }) };
}

/**
 * Unpacks a bundle into a data folder and verifies every file; a file that differs from the manifest is not
 * written. Identical existing files stay. Nothing outside the folder is written.
 *
 * @throws {FormatError} when the archive is not a bundle, is truncated, or its files differ from its manifest
 * @throws {InputError} when a different file of the same name exists
 */
export async function unpackBundle(
  bundle: string,
  folder: string,
  { signal, onProgress }: BundleOptions = {},
): Promise<readonly BundledFile[]> {
  const wrong = (message: string, hint?: string) => new FormatError({ file: bundle }, message, hint);
  let expected: Map<string, BundledFile> | undefined;
  let files: readonly BundledFile[] = [];
  let done = 0;
  let total = 0;
  for await (const entry of readTar(bundle)) {
    signal?.throwIfAborted();
    if (expected === undefined) {
      files = await readManifest(entry, wrong);
      expected = new Map(files.map((file) => [file.path, file]));
      if (expected.size !== files.length) throw wrong("its manifest names a file twice");
      total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      await checkExisting(folder, files);
      continue;
    }
    const file = expected.get(entry.path);
    if (file === undefined || entry.kind !== "file" || entry.bytes !== file.bytes) {
      throw wrong(
        `the archive has ${JSON.stringify(entry.path.slice(0, 200))} (${entry.kind}, ${entry.bytes} bytes), which differs from its manifest`,
      );
    }
    expected.delete(entry.path);
    const place = join(folder, file.path);
    if ((await kindOfPath(place)) === undefined) {
      // Same lock as fetchSource: with it, an unfinished file is left over from a killed process.
      await using _ = await waitForLock(`${place}.fetch.lock`, { signal, protects: place });
      await removeTemporaryFiles(place);
      await writeFileAtomic(place, checked(entry, file, wrong, signal));
    }
    done += file.bytes;
    onProgress?.(done, total);
  }
  if (expected === undefined) throw wrong("the archive is empty");
  const [missing] = expected.keys();
  if (missing !== undefined) throw wrong(`${missing} is missing`, "is the copy of the bundle complete?");
  const since = new Date().toISOString();
  await recordFiles(
    folder,
    files.map((file) => ({ ...file, since })),
  );
  return files;
}

type MakeFormatError = (message: string, hint?: string) => FormatError;

async function readManifest(entry: TarFileEntry, wrong: MakeFormatError): Promise<readonly BundledFile[]> {
  if (entry.path !== MANIFEST || entry.kind !== "file" || entry.bytes > MAX_MANIFEST_BYTES) {
    throw wrong("this is not a dart-eval bundle", "dart-eval data bundle makes one");
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.contents) chunks.push(chunk);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw wrong("its manifest is not JSON");
  }
  const { success, data, error } = manifestSchema.safeParse(value);
  if (success) return data.files;
  throw wrong(`its manifest is wrong at ${firstIssue(error, "the top")}`);
}

/** Checks, before anything is written, that existing files equal those of the bundle. */
async function checkExisting(folder: string, files: readonly BundledFile[]): Promise<void> {
  for (const { path, bytes, sha256 } of files) {
    const place = join(folder, path);
    const kind = await kindOfPath(place);
    if (kind === undefined) continue;
    const other = kind === "folder" ? "is a folder" : await mismatch(place, { bytes, sha256 });
    if (other === undefined) continue;
    throw new InputError(`the existing file ${other}`, {
      place: { file: place },
      hint: "move it away, or unpack into another folder",
    });
  }
}

async function* checked(
  { contents }: TarFileEntry,
  { path, sha256 }: BundledFile,
  wrong: MakeFormatError,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const digest = createHash("sha256");
  for await (const chunk of contents) {
    signal?.throwIfAborted();
    digest.update(chunk);
    yield chunk;
  }
  const found = digest.digest("hex");
  if (found !== sha256) throw wrong(`${path} has SHA-256 ${found}; expected ${sha256} by its manifest`);
}
