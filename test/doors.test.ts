import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository, sourceFiles } from "./source-files.ts";

// What users may import. A change here is a change for them: it belongs in the changelog.

const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const doors = Object.entries<string>(manifest.exports).map(([name, built]) => ({
  name: name.replace(/^\./, "dart-eval"),
  source: built.replace("./dist/", "src/").replace(/\.js$/, ".ts"),
}));

test("there is one door to each room but the command's, and one to all", () => {
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

test("dart-eval gives all of them, and no name means two things", async () => {
  const all = Object.keys(await import(join(repository, "src/index.ts")));
  const rooms = doors.filter(({ name }) => name !== "dart-eval");
  const values = await Promise.all(
    rooms.map(async ({ source }) => Object.keys(await import(join(repository, source)))),
  );
  expect(all.sort()).toEqual(values.flat().sort());
});

/** Names exported as types, which leave no trace at run time. */
function typesOf(path: string): string[] {
  const { code } = sourceFiles(path.replace(/\/index\.ts$/, "")).find((file) => file.path === path)!;
  return [...code.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, all, names]) =>
    names!
      .split(",")
      .map((name) => name.trim())
      .filter((name) => all !== undefined || name.startsWith("type "))
      .map((name) => name.replace(/^type /, ""))
      .filter((name) => name !== "")
      .map((name) => `type ${name}`),
  );
}
