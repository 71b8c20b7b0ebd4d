import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "./source-files.ts";

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const { packages } = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as {
  packages: Readonly<Record<string, Locked>>;
};

test("the lock holds the binaries of every system, so that npm ci works on all", () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      )
      .map((name) => `${path} → ${name}`),
  );
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test.each(["", "scripts/api-reference"])("the lock of ./%s names no registry", (folder) => {
  const lock: { packages: Readonly<Record<string, Locked>> } = JSON.parse(
    readFileSync(join(repository, folder, "package-lock.json"), "utf8"),
  );
  expect(Object.keys(lock.packages).length).toBeGreaterThan(5);
  expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

test.each(["", "scripts/api-reference"])("dependencies of ./%s are pinned", (folder) => {
  const { dependencies = {}, devDependencies } = JSON.parse(
    readFileSync(join(repository, folder, "package.json"), "utf8"),
  );
  for (const version of Object.values({ ...dependencies, ...devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-r\.\d+)?$/);
  }
});
