import { SETTINGS } from "../src/evaluation/settings/catalogue.ts";
import { TASKS } from "../src/evaluation/tasks/catalogue.ts";
import { BASELINES, LANGUAGE_MODELS } from "../src/models/catalogue.ts";
import { markdownTable } from "../src/report/tables/markdown.ts";
import type { Cell, Table } from "../src/report/tables/table.ts";

// The pages and the parts of the README that say what the catalogues say. `npm run docs` writes them.

const columns = (...headings: string[]) => headings.map((heading) => ({ heading, align: "left" }) as const);

/** A table without its caption: the heading above says it. */
function table(headings: readonly string[], rows: Table["rows"]): string {
  return markdownTable({ caption: "", columns: columns(...headings), rows })
    .split("\n")
    .slice(2)
    .join("\n");
}

const GENERATED = "<!-- Written by `npm run docs` from the catalogues; change those. -->";

export function tasksPage(): string {
  const parts = TASKS.map((task) =>
    [
      `## ${task.title}`,
      "",
      `\`${task.name}\`${task.number === undefined ? "" : `, task ${task.number} of the benchmark`}`,
      "",
      task.asks,
      "",
      `- **A row** is ${task.members.join(" and ")}, ${task.window} bp each.`,
      `- **Source**: ${task.source}.`,
      "",
      table(
        ["input", "what to give"],
        task.inputs.map(({ name, what }) => [name, what]),
      ),
      "",
      table(
        ["setting", "rows by default", "recipe"],
        Object.entries(task.settings).map(([name, { defaultSplit, recipe }]) => [
          name,
          `${defaultSplit} split`,
          Object.entries(recipe)
            .map(([key, value]) => `${key} ${value}`)
            .join(", "),
        ]),
      ),
    ].join("\n"),
  );
  const settings = table(
    ["setting", "how a model answers"],
    SETTINGS.map(({ name, title }) => [name, title]),
  );
  return `${["# Tasks", "", GENERATED, "", settings, "", parts.join("\n\n")].join("\n")}\n`;
}

export function modelsPage(): string {
  const families = LANGUAGE_MODELS.map((card) =>
    [
      `## ${card.title}`,
      "",
      `\`${card.name}\`: ${card.kind}, ${card.tokens} tokens. ${card.cite}. Licence of the weights: ${card.licence}.`,
      "",
      table(
        ["checkpoint", "repository", "revision", "used by DART-Eval"],
        card.checkpoints.map(({ preset, repo, revision, usedByDartEval }): Cell[] => [
          `${card.name}/${preset}`,
          repo,
          revision.slice(0, 12),
          usedByDartEval ? "yes" : "",
        ]),
      ),
      "",
      `Small untrained ones, by \`dart-eval models init ${card.name}\`: ${Object.keys(card.toys).join(", ") || "none"}.`,
    ].join("\n"),
  );
  const baselines = BASELINES.map(({ name, title, answers, cite }) =>
    [`## ${title}`, "", `\`${name}\`: ${answers}. ${cite}.`].join("\n"),
  );
  return `${["# Models", "", GENERATED, "", [...families, ...baselines].join("\n\n")].join("\n")}\n`;
}

/** The README's tables, by the name of their markers. */
export const readmeParts: Readonly<Record<string, () => string>> = {
  tasks: () =>
    table(
      ["task", "asks", "settings"],
      TASKS.map((task) => [task.name, task.asks, Object.keys(task.settings).join(", ")]),
    ),
  models: () =>
    table(
      ["model", "kind", "reference"],
      [
        ...LANGUAGE_MODELS.map(({ name, kind, tokens, cite }) => [name, `${kind}, ${tokens} tokens`, cite]),
        ...BASELINES.map(({ name, title, cite }) => [name, `baseline: ${title}`, cite]),
      ],
    ),
};

/** The README with the text between each pair of markers made anew. @throws when a marker is missing */
export function withGeneratedParts(readme: string): string {
  return Object.entries(readmeParts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- ${name}: written by npm run docs -->`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`the README has no part between ${begin} and ${end}`);
    return `${text.slice(0, from + begin.length)}\n\n${part()}\n\n${text.slice(to)}`;
  }, readme);
}
