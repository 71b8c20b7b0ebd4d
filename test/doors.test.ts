import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { repository, withoutComments } from "./source-files.ts";

// What users may import. A change here is a change for them: it belongs in the changelog.

const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const doors = Object.entries<string>(manifest.exports).map(([name, built]) => ({
  name: name.replace(/^\./, "dart-eval"),
  source: built.replace("./dist/", "src/").replace(/\.js$/, ".ts"),
}));

test("each room except cli has an entry point, and the package has one", () => {
  expect(doors.map(({ name }) => name).sort()).toEqual([
    "dart-eval",
    ...["base", "datasets", "demo", "dna", "evaluation", "metrics", "models", "net", "report"].map(
      (room) => `dart-eval/${room}`,
    ),
  ]);
});

test.each(doors.filter(({ name }) => name !== "dart-eval"))("$name", async ({ source }) => {
  const values = Object.keys(await import(join(repository, source)));
  expect([...values, ...typesOf(source)].sort()).toMatchSnapshot();
});

test("dart-eval has the names of the most frequent jobs", async () => {
  expect(Object.keys(await import(join(repository, "src/index.ts"))).sort()).toEqual([
    "InputError",
    "evaluate",
    "openGenome",
    "openModel",
    "version",
    "writeReport",
  ]);
});

test("dart-eval loads tasks, families and tables with the first call that needs them", () => {
  const loaded = loadedWith("src/index.ts");
  expect(loaded).toContain("src/models/open-model.ts");
  expect(
    loaded.filter((path) => /tasks|settings|language\/catalogue|net\/graph|report\/page/.test(path)),
  ).toEqual([]);
});

/** Files of `src` that are evaluated when one of them is imported. */
function loadedWith(path: string, loaded = new Set<string>()): readonly string[] {
  loaded.add(path);
  const code = withoutComments(readFileSync(join(repository, path), "utf8"));
  for (const [, from] of code.matchAll(/^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)";/gm)) {
    const file = posix.join(posix.dirname(path), from);
    if (!loaded.has(file)) loadedWith(file, loaded);
  }
  return [...loaded].sort();
}

test("every exported name has one meaning", async () => {
  const rooms = doors.filter(({ name }) => name !== "dart-eval");
  const names = await Promise.all(
    rooms.map(async ({ source }) => [
      ...Object.keys(await import(join(repository, source))),
      ...typesOf(source),
    ]),
  );
  expect(names.flat().filter((name, i, all) => all.indexOf(name) !== i)).toEqual([]);
});

test("everything exported has a doc comment", () => {
  const undocumented = doors
    .flatMap(({ source }) => exportsOf(source))
    .filter(({ path, name }) => {
      const declared = new RegExp(
        `\\*/\\s*export (?:abstract )?(?:async )?(?:function\\*?|class|const|interface|type) ${name}\\b`,
      );
      return !declared.test(readFileSync(join(repository, path), "utf8"));
    });
  expect(undocumented.map(({ path, name }) => `${path} ${name}`)).toEqual([]);
});

/** Names that an entry point re-exports, with the file that declares each. */
function exportsOf(door: string): readonly { readonly path: string; readonly name: string }[] {
  const code = withoutComments(readFileSync(join(repository, door), "utf8"));
  return [...code.matchAll(/export (?:type )?\{([^}]*)\} from "\.\/([^"]+)"/g)].flatMap(([, names, from]) =>
    from.endsWith("index.ts")
      ? []
      : names
          .split(",")
          .map((name) =>
            name
              .trim()
              .replace(/^type /, "")
              .replace(/ as .*$/, ""),
          )
          .filter((name) => name !== "")
          .map((name) => ({ path: `${door.replace(/index\.ts$/, "")}${from}`, name })),
  );
}

/** Names exported as types, which do not exist at run time. */
function typesOf(path: string): string[] {
  const code = withoutComments(readFileSync(join(repository, path), "utf8"));
  return [...code.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, all, names]) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => all !== undefined || name.startsWith("type "))
      .map((name) => name.replace(/^type /, ""))
      .filter((name) => name !== "")
      .map((name) => `type ${name}`),
  );
}
