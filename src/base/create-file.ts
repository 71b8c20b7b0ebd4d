import { link, open, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileTrouble } from "./file-trouble.ts";
import { makeFolder } from "./make-folder.ts";
import { unfinishedPath } from "./write-file.ts";

/** What a file system without hard links answers. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Makes a file with this content if there is none of that name: of several processes, on one machine or on several
 * that share the folder, exactly one is told true. Nobody ever sees the file half written.
 *
 * The content goes into a temporary file, which is then linked to the name. Where the file system has no hard
 * links the file is opened exclusively instead; then a reader may, for an instant, see it empty.
 *
 * @returns false when a file of that name exists; it is left as it is
 * @throws {InputError} naming the path when the disk is full, read-only, or the folder may not be written
 */
export async function createFileWhole(path: string, data: string | Uint8Array): Promise<boolean> {
  const beside = unfinishedPath(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(beside, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(beside, path);
    } catch (error) {
      // The holder of a lock takes unfinished files for those of killed processes and removes them.
      if (codeOf(error) === "ENOENT") return await createFileWhole(path, data);
      if (!NO_LINKS.has(codeOf(error))) throw error;
      await writeFile(path, data, { flag: "wx", flush: true });
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw fileTrouble(path, error);
  } finally {
    await rm(beside, { force: true });
  }
}

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");
