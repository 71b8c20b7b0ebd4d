import { takeLock } from "./file-lock.ts";
import { isStream, removeUnfinished } from "./write-file.ts";

/**
 * Does work that writes a file, alone among all processes: a second one is refused. What processes that were killed while
 * they wrote the file left next to it is removed first. A pipe or a device has any number of writers.
 *
 * @param work  writes `path` by `writeFileWhole`
 * @throws {LockHeld} when another process writes the file
 */
export async function asSoleWriter<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (await isStream(path)) return work();
  await using _ = await takeLock(`${path}.lock`);
  await removeUnfinished(path);
  return await work();
}
