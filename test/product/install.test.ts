import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { repository } from "../source-files.ts";

const json = async (path: string) => JSON.parse(await readFile(join(repository, path), "utf8"));

test("npm ci in a clone does not download CUDA libraries", async () => {
  // npm 11.16 and later read allowScripts, earlier versions the lock file; npm install can add the field
  // again.
  expect((await json("package.json")).allowScripts["onnxruntime-node"]).toBe(false);
  const { packages } = await json("package-lock.json");
  expect(packages["node_modules/onnxruntime-node"].version).toBeDefined();
  expect(packages["node_modules/onnxruntime-node"].hasInstallScript).toBeUndefined();
});

test("npm prints no warning about the repository's .npmrc", async () => {
  const { stdout, stderr } = await promisify(execFile)("npm", ["prefix"], { cwd: repository });
  expect(stdout.trim()).not.toBe("");
  expect(stderr).not.toContain("project config");
});
