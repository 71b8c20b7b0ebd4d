import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allQuirks } from "../../../src/evaluation/runs/forms.ts";
import { TASKS } from "../../../src/evaluation/tasks/catalogue.ts";
import { recipeFor, scoreQuirks } from "../../../src/evaluation/tasks/recipe.ts";
import { BASELINES, LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { repository, sourceFiles } from "../../source-files.ts";

test("the catalogue has Q1 to Q41, each once and in order", () => {
  expect(allQuirks().map(({ label }) => label)).toEqual(Array.from({ length: 41 }, (_, i) => `Q${i + 1}`));
});

test("every quirk mentioned in the source is in the catalogue", () => {
  const known = new Set(allQuirks().map(({ label }) => label));
  const mentioned = sourceFiles("src")
    .filter(
      ({ path }) => !path.endsWith("onnx-schema.ts") && !/tasks\/(quirks|[a-z-]+\/benchmark)\.ts$/.test(path),
    )
    .flatMap(({ path }) =>
      [...readFileSync(join(repository, path), "utf8").matchAll(/\b[Qq]uirks? (Q\d+)|label: "(Q\d+)/g)].map(
        ([, a, b]) => a ?? b,
      ),
    );
  expect(mentioned.length).toBeGreaterThan(20);
  expect(mentioned.filter((label) => !known.has(label))).toEqual([]);
});

test("score-changing quirks have known labels in ascending order, and known families", () => {
  const labels = allQuirks().map(({ label }) => label);
  const families = [...LANGUAGE_MODELS, ...BASELINES].map(({ name }) => name);
  const forms = TASKS.flatMap(({ settings }) => Object.values(settings));
  expect(forms.flatMap(({ scoreQuirks = {} }) => Object.keys(scoreQuirks)).length).toBeGreaterThan(20);
  for (const { scoreQuirks: quirks = {} } of forms) {
    expect(labels.filter((label) => label in quirks)).toEqual(Object.keys(quirks));
    const named = Object.values(quirks).flatMap((each) => (each === "all" ? [] : each));
    expect(families).toEqual(expect.arrayContaining(named));
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
          scoreQuirks(form, family),
          `${task.name} × ${setting} × ${family}: ${changed.join(", ")}`,
        ).not.toEqual([]);
      }
    }
  }
});
