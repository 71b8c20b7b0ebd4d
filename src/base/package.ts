import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { InternalError } from "./errors.ts";

const manifest = createRequire(import.meta.url)("../../package.json") as { readonly version: string };

/** This package's version, from its `package.json`. */
export const version: string = manifest.version;

let known: Promise<string> | undefined;

/**
 * The version with a digest of the program's own files, such as `0.1.0+3f7a91c2`: two programs that may compute different
 * numbers never share it, whatever their `package.json` says.
 */
export function programVersion(): Promise<string> {
  known ??= digestOfProgram().then((digest) => `${version}+${digest.slice(0, 8)}`);
  return known;
}

async function digestOfProgram(): Promise<string> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const names = (await readdir(root, { recursive: true })).filter((name) => /(?<!\.d)\.[jt]s$/.test(name));
  const hash = createHash("sha256");
  for (const name of names.toSorted()) {
    hash.update(`${name.split(sep).join("/")}\n`).update(await readFile(join(root, name)));
  }
  return hash.digest("hex");
}

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
