import { execFileSync } from "node:child_process";
import { repository } from "../source-files.ts";

/** Builds `dist` before the product's tests, as `npm ci` does before the demo. */
export default function build(): void {
  execFileSync("npm", ["run", "--silent", "build"], {
    cwd: repository,
    stdio: ["ignore", "inherit", "inherit"],
  });
}
