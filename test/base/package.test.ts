import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { optionalPackage, programVersion, version } from "../../src/base/package.ts";

test("programVersion contains a stable digest of the files", () => {
  const first = programVersion();
  expect(first).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{8}$/);
  expect(first.startsWith(`${version}+`)).toBe(true);
  expect(programVersion()).toBe(first);
});

describe("optionalPackage", () => {
  const need = { for: "queries", size: "70 MB" };

  test("imports an installed package", async () => {
    expect(await optionalPackage("zod", need, () => import("zod"))).toHaveProperty("z");
  });

  test("prints the command that installs a missing one, with the tested version", async () => {
    // A name in a variable, since the compiler looks up a literal one.
    const missing = "dart-eval-no-such-package";
    const load = () => import(/* @vite-ignore */ missing);
    const error = await optionalPackage("@duckdb/node-api", need, load).catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    expect(error.describe()).toMatch(
      /^queries need the optional package @duckdb\/node-api, which is not installed\n {2}npm install "@duckdb\/node-api@\^1\.5\.5-r\.5" \(about 70 MB\)$/,
    );
  });

  test("passes on an error of the package itself", async () => {
    const load = () => Promise.reject(new Error("its library is damaged"));
    await expect(optionalPackage("zod", need, load)).rejects.toThrow("its library is damaged");
  });
});
