import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { performancePage } from "../benchmarks/performance/page.ts";
import { readResults } from "../benchmarks/performance/results.ts";
import { scriptArguments } from "./arguments.ts";
import {
  dataPage,
  modelsPage,
  quirksPage,
  recipesPage,
  tasksPage,
  withGeneratedParts,
} from "./generated-docs.ts";

scriptArguments("npm run docs", {});
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

writeFileSync(at("docs/tasks.md"), tasksPage());
writeFileSync(at("docs/models.md"), modelsPage());
writeFileSync(at("docs/data.md"), dataPage());
writeFileSync(at("docs/quirks.md"), quirksPage());
writeFileSync(at("docs/recipes.md"), recipesPage());
writeFileSync(at("docs/performance.md"), performancePage(readResults()));
writeFileSync(at("README.md"), withGeneratedParts(readFileSync(at("README.md"), "utf8")));
