import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../source-files.ts";

const modified = (path: string) => statSync(join(repository, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Written last: the build begins with the removal of `dist`, and a failed one ends before this file. */
const LAST_OUTPUT = "dist/report/client/figure-files.js";

/** Files and folders that `dist` depends on; the time of a folder changes with a removed or renamed file. */
function inputs(): readonly string[] {
  const names = readdirSync(repository).filter((name) => /^(package.*|tsconfig.*)\.json$|^vite\b/.test(name));
  const sources = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" });
  return [...names, "src", ...sources.map((name) => join("src", name))];
}

/**
 * Builds `dist` before the product's tests, as `npm ci` does before the demo, unless it is newer than its
 * inputs.
 */
export default function build(): void {
  if (modified(LAST_OUTPUT) > Math.max(...inputs().map(modified))) return;
  execFileSync("npm", ["run", "--silent", "build"], {
    cwd: repository,
    stdio: ["ignore", "inherit", "inherit"],
  });
}
