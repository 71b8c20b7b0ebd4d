import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program } from "../compiled.ts";
import { repository } from "../source-files.ts";

test("every script and benchmark with arguments prints its usage", () => {
  const files = ["scripts", "benchmarks"].flatMap((folder) =>
    readdirSync(join(repository, folder))
      .filter((name) => name.endsWith(".ts") && name !== "arguments.ts")
      .map((name) => join(folder, name)),
  );
  const others = files.filter((file) =>
    /parseArgs|process\.argv/.test(readFileSync(join(repository, file), "utf8")),
  );
  expect(others).toEqual([]);
});

test.each([
  ["--help", 0, "usage: npm run kernels\n", ""],
  ["--nope", 2, "", "error: Unknown option '--nope'\nusage: npm run kernels\n"],
])("npm run kernels -- %s", (word, exitCode, printed, said) => {
  const [executable, ...words] = [...program("scripts/kernels.ts"), word];
  const { status, stdout, stderr } = spawnSync(executable, words, {
    cwd: repository,
    encoding: "utf8",
  });
  expect([status, stdout, stderr]).toEqual([exitCode, printed, said]);
});
