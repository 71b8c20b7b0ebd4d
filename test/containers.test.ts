import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "./source-files.ts";

const read = (path: string) => readFileSync(join(repository, path), "utf8");
const manifest = JSON.parse(read("package.json")) as { files: string[]; scripts: Record<string, string> };

const asExpression = (pattern: string) =>
  new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);

/** Files that the package ships, and configurations that its build reads. */
const needed = [
  ...manifest.files.filter((name) => name !== "dist" && !name.startsWith("!")),
  ...[...manifest.scripts.build.matchAll(/\S+\.(?:json|config\.ts)\b/g)].map(([name]) => name),
  ...["src", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"],
];

test("the containers are built from all files of the package and of its build", () => {
  expect(needed).toContain("tsconfig.build.json");
  const kept = [...read("containers/Dockerfile.dockerignore").matchAll(/^!(\S+)$/gm)].map(([, name]) => name);
  const copied = [...read("containers/apptainer.def").matchAll(/^ {4}(\S+) \/opt\/dart-eval\/(\S+)$/gm)];
  for (const name of needed) {
    expect(
      kept.some((pattern) => asExpression(pattern).test(name)),
      `Dockerfile.dockerignore keeps ${name}`,
    ).toBe(true);
    expect(
      copied.map(([, from, to]) => [from, to]),
      "apptainer.def",
    ).toContainEqual([name, name]);
  }
});

test("the workflows' configuration names every parameter of the Nextflow pipeline", () => {
  const [, block] = /^params \{([\s\S]*?)\n {4}\/\//m.exec(read("workflows/nextflow/nextflow.config"))!;
  const parameters = [...block.matchAll(/^ {4}(\w+) =/gm)].map(([, name]) => name);
  const keys = [...read("workflows/config.yaml").matchAll(/^(\w+):/gm)].map(([, name]) => name);
  expect(keys.toSorted()).toEqual(parameters.toSorted());
});
