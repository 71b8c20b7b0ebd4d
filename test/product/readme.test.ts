import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../source-files.ts";

let folder: string;
let readme: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-readme-"));
  readme = await readFile(join(repository, "README.md"), "utf8");
  // As after `npm install` of the package: npx finds the command in node_modules/.bin.
  const command = `#!/bin/sh\nexec '${process.execPath}' '${join(repository, "dist/cli/main.js")}' "$@"\n`;
  const bin = join(folder, "node_modules/.bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "dart-eval"), command, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Commands of the README's `sh` blocks, in order. Other blocks need data or models that are not here. */
const commands = () =>
  [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, block]) => block!.replaceAll(/\\\n\s*/g, "").split("\n"))
    .filter((line) => line.startsWith("npx dart-eval "));

test("the README's commands run in order; the demo prints the table that it shows, and all else on stderr", async () => {
  const lines = commands();
  expect(lines.length).toBeGreaterThanOrEqual(8);
  const printed: string[] = [];
  const said: string[] = [];
  for (const line of lines) {
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", line], {
      cwd: folder,
      // Fails instead of asking the registry for a package of that name.
      env: { ...process.env, npm_config_offline: "true" },
    });
    printed.push(stdout);
    said.push(stderr);
  }
  const [, shown] = /^```text\n(Regulatory elements, zero-shot\n[\s\S]*?)^```$/m.exec(readme)!;
  const table = shown!.trimEnd().split("\n");
  expect(printed[0].split("\n").slice(0, table.length)).toEqual(table);
  // A Markov model of order 1 cannot distinguish an element from its dinucleotide shuffle.
  expect(printed[0]).toMatch(/kmer-markov-1 +corrected +0\.500 .* 372 +372 /);
  expect(said[0]).toContain("report: dart-eval-demo/quick-report.html");
});

test("npx finds the command in a clone", async () => {
  const { stdout } = await promisify(execFile)("npx", ["dart-eval", "--version"], {
    cwd: repository,
    // The first npx in a clone links the package and would build it, under the other tests' feet.
    env: { ...process.env, npm_config_offline: "true", npm_config_ignore_scripts: "true" },
  });
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
});
