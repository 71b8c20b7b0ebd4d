import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../source-files.ts";

let folder: string;
let readme: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-readme-"));
  readme = await readFile(join(repository, "README.md"), "utf8");
  // As after `npm install dart-eval`: the command is on the path.
  const command = `#!/bin/sh\nexec '${process.execPath}' '${join(repository, "dist/cli/main.js")}' "$@"\n`;
  await writeFile(join(folder, "dart-eval"), command, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The README's `sh` blocks, in order; blocks of another kind are for reading. */
const commands = () =>
  [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, block]) => block!.replaceAll(/\\\n\s*/g, "").split("\n"))
    .filter((line) => line.startsWith("dart-eval "));

test("the README's commands work, in its order, and print what it shows", async () => {
  const lines = commands();
  expect(lines.length).toBeGreaterThanOrEqual(6);
  const printed: string[] = [];
  for (const line of lines) {
    const { stdout } = await promisify(execFile)("sh", ["-c", line], {
      cwd: folder,
      env: { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` },
    });
    printed.push(stdout);
  }
  // The table below the demo is what the demo prints.
  const [, shown] = /^```text\n(Regulatory elements, zero-shot\n[\s\S]*?)^```$/m.exec(readme)!;
  const table = shown!.trimEnd().split("\n");
  expect(printed[0].split("\n").slice(0, table.length)).toEqual(table);
});
