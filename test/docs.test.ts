import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  dataPage,
  modelsPage,
  quirksPage,
  recipesPage,
  tasksPage,
  withGeneratedParts,
} from "../scripts/generated-docs.ts";
import { repository } from "./source-files.ts";

const read = (path: string) => readFileSync(join(repository, path), "utf8");

test("generated pages and the README's tables are up to date; else: npm run docs", () => {
  expect(read("docs/tasks.md")).toBe(tasksPage());
  expect(read("docs/models.md")).toBe(modelsPage());
  expect(read("docs/data.md")).toBe(dataPage());
  expect(read("docs/quirks.md")).toBe(quirksPage());
  expect(read("docs/recipes.md")).toBe(recipesPage());
  expect(read("README.md")).toBe(withGeneratedParts(read("README.md")));
});

test("every link to a file of the repository resolves", () => {
  const pages = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...readdirSync(join(repository, "docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
    ...readdirSync(join(repository, "docs/decisions")).map((name) => `docs/decisions/${name}`),
    "toys/README.md",
  ];
  let links = 0;
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(
        () => readFileSync(join(repository, page, "..", target!)),
        `${page} links to ${target}`,
      ).not.toThrow();
      links++;
    }
  }
  expect(links).toBeGreaterThan(5);
});

test("every step of ARCHITECTURE.md names a function that its file has", () => {
  const steps = [...read("ARCHITECTURE.md").matchAll(/^\| \d+ \| `(\w+)` \| (\S+\.ts) \|/gm)];
  expect(steps).toHaveLength(20);
  for (const [, name, file] of steps) {
    expect(read(`src/${file}`), `${file} has ${name}`).toMatch(
      new RegExp(
        `^export (async )?(function|const)\\*? ${name}\\b|^export async function\\* ${name}\\b`,
        "m",
      ),
    );
  }
});
