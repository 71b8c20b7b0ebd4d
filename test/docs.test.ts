import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { performancePage } from "../benchmarks/performance/page.ts";
import { readResults } from "../benchmarks/performance/results.ts";
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
  expect(read("docs/performance.md")).toBe(performancePage(readResults()));
  expect(read("README.md")).toBe(withGeneratedParts(read("README.md")));
});

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

test.each(pages)("links and source files in %s exist", (page) => {
  const text = read(page);
  for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    expect(existsSync(join(repository, page, "..", target)), `link to ${target}`).toBe(true);
  }
  for (const [, path] of text.matchAll(/`([\w.-]+\/[\w./-]+\.(?:ts|wat|py|R))`/g)) {
    const found = ["", "src"].some((folder) => existsSync(join(repository, folder, path)));
    expect(found, `${path} exists`).toBe(true);
  }
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

test("every stop of ARCHITECTURE.md's walks is a file with the named function, at most 12 in a walk", () => {
  const section = read("ARCHITECTURE.md")
    .split("\n## ")
    .find((text) => text.startsWith("Follow one number"));
  const [, ...walks] = section?.split(/^\*\*/m) ?? [];
  expect(walks).toHaveLength(3);
  for (const walk of walks) {
    const stops = [...walk.matchAll(/^\d+\. `(\w+)`, `(\S+\.ts)`: /gm)];
    expect(stops.length).toBe(walk.match(/^\d+\. /gm)?.length);
    expect(stops.length).toBeGreaterThan(4);
    expect(stops.length).toBeLessThanOrEqual(12);
    for (const [, name, file] of stops) {
      expect(read(`src/${file}`), `${file} has ${name}`).toMatch(
        new RegExp(`^(export (abstract )?(async )?(function|const|class)|  async) ${name}\\b`, "m"),
      );
    }
  }
});
