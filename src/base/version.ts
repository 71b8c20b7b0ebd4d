import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

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
