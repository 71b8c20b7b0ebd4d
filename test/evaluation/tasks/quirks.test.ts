import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SETTINGS } from "../../../src/evaluation/settings/catalogue.ts";
import { TASKS } from "../../../src/evaluation/tasks/catalogue.ts";
import { recipeFor } from "../../../src/evaluation/tasks/overrides.ts";
import { QUIRKS, scoreQuirks } from "../../../src/evaluation/tasks/quirks/quirks.ts";
import { BASELINES, LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { repository, sourceFiles } from "../../source-files.ts";

test("the catalogue has Q1 to Q41, each once and in order", () => {
  expect(QUIRKS.map(({ label }) => label)).toEqual(Array.from({ length: 41 }, (_, i) => `Q${i + 1}`));
});

test("every quirk mentioned in the source is in the catalogue", () => {
  const known = new Set(QUIRKS.map(({ label }) => label));
  const mentioned = sourceFiles("src")
    .filter(({ path }) => !path.endsWith("onnx-schema.ts") && !path.includes("tasks/quirks/"))
    .flatMap(({ path }) =>
      [...readFileSync(join(repository, path), "utf8").matchAll(/\b[Qq]uirks? (Q\d+)|label: "(Q\d+)/g)].map(
        ([, a, b]) => a ?? b,
      ),
    );
  expect(mentioned.length).toBeGreaterThan(20);
  expect(mentioned.filter((label) => !known.has(label))).toEqual([]);
});

test("cells of score-changing quirks are cells of the benchmark", () => {
  const families = new Set([...LANGUAGE_MODELS, ...BASELINES].map(({ name }) => name));
  for (const { label, changesScores = [] } of QUIRKS) {
    for (const cells of changesScores) {
      for (const family of cells.families ?? []) expect(families, label).toContain(family);
      for (const name of cells.tasks) {
        const task = TASKS.find((one) => one.name === name);
        expect(task, `${label}: ${name}`).toBeDefined();
        expect(
          cells.settings.some((setting) => setting in task!.settings),
          `${label}: ${name} has one of ${cells.settings.join(", ")}`,
        ).toBe(true);
      }
    }
  }
});

test("recipes that affect scores differ between protocols only by a quirk", () => {
  // Early stopping is the one addition of `corrected` that corrects no quirk; solver and transform act on the
  // measurement of vectors, not on scores.
  const ownAddition = new Set(["patience", "bothOrders", "solver", "transform"]);
  for (const task of TASKS) {
    for (const [setting, form] of Object.entries(task.settings)) {
      for (const { name: family } of LANGUAGE_MODELS.filter(({ publishedAs }) => publishedAs)) {
        const place = { task: task.name, setting, family };
        const paper = recipeFor(form, { ...place, protocol: "paper" });
        const corrected = recipeFor(form, { ...place, protocol: "corrected" });
        const changed = Object.keys(paper).filter(
          (name) => paper[name] !== corrected[name] && !ownAddition.has(name),
        );
        if (changed.length === 0) continue;
        expect(
          scoreQuirks(place),
          `${task.name} × ${setting} × ${family}: ${changed.join(", ")}`,
        ).not.toEqual([]);
      }
    }
  }
});

test("settings of score-changing quirks are in the catalogue", () => {
  const settings = new Set(SETTINGS.map(({ name }) => name));
  const named = QUIRKS.flatMap(({ changesScores = [] }) => changesScores.flatMap((cells) => cells.settings));
  expect(named.filter((name) => !settings.has(name))).toEqual([]);
});
