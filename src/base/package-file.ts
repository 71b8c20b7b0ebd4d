import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { InternalError } from "./errors.ts";

/** The package's own folder: two above this file, in `src` as in `dist`. */
const root = new URL("../../", import.meta.url);

/** Where a file or folder that this package ships lies, by its path in the package. */
export const packagePath = (path: string): string => fileURLToPath(new URL(path, root));

/**
 * Text of a file that this package ships or its build makes, by its path in the package.
 * @throws {InternalError} when it is not there: the package was not built
 */
export async function readPackageFile(path: string): Promise<string> {
  const file = packagePath(path);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new InternalError(`${file} cannot be read; was the package built (npm run build)?`, cause);
  }
}
