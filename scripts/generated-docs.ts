import { SOURCES } from "../src/datasets/sources/catalogue.ts";
import { CITED_SOURCES } from "../src/datasets/sources/cited.ts";
import { addressText } from "../src/datasets/sources/locate.ts";
import { EXPECTED_COUNTS } from "../src/datasets/sources/verify.ts";
import { SETTINGS } from "../src/evaluation/settings/catalogue.ts";
import { MINI_WIDTH, miniSuite } from "../src/evaluation/suites/mini.ts";
import { TASKS } from "../src/evaluation/tasks/catalogue.ts";
import { deviations, recipeFor } from "../src/evaluation/tasks/deviations.ts";
import { QUIRKS } from "../src/evaluation/tasks/quirks.ts";
import type { Recipe } from "../src/evaluation/tasks/recipe.ts";
import type { Task } from "../src/evaluation/tasks/task.ts";
import { BASELINES, LANGUAGE_MODELS } from "../src/models/language/catalogue.ts";
import type { Protocol } from "../src/models/model.ts";
import { count } from "../src/report/numbers.ts";
import { markdownTable, type Table, type TableCell } from "../src/report/table.ts";

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
        ["checkpoint", "repository", "revision", "used by DART-Eval", "models verify"],
        card.checkpoints.map(({ preset, repo, revision, usedByDartEval }): TableCell[] => [
          `${card.name}/${preset}`,
          repo,
          revision.slice(0, 12),
          usedByDartEval ? "yes" : "",
          card.anchors.some((anchor) => anchor.preset === preset) ? "yes" : "no known output",
        ]),
      ),
      "",
      `A small trained one, in the package: toy:${card.name}. Small untrained ones, by \`dart-eval models init ${card.name}\`: ${Object.keys(card.toys).join(", ") || "none"}.`,
    ].join("\n"),
  );
  const baselines = BASELINES.map(({ name, title, answers, cite, toy }) =>
    [
      ...[`## ${title}`, "", `\`${name}\`: ${answers}. ${cite}.`],
      ...(toy ? ["", `A small trained one, in the package: toy:${name}.`] : []),
    ].join("\n"),
  );
  const verified =
    "`dart-eval models verify FOLDER` compares a checkpoint's hidden states with outputs of the official code that others published. Where the last column says that no output\nis known, as for Nucleotide Transformer v2-500m and Mistral-DNA 1.6B, the forward pass is tested against the official code with small random weights, and the published\nweights themselves are not verified.";
  return `${["# Models", "", GENERATED, "", verified, "", [...families, ...baselines].join("\n\n")].join("\n")}\n`;
}

/** Where the benchmark's files come from, and how suites ask of them. */
export function dataPage(): string {
  const files = SOURCES.map(
    ({ name, tasks, what, path, addresses, notFetched, licence, becomes }): TableCell[] => [
      name,
      tasks.join(", "),
      becomes === undefined ? what : `${what}; becomes ${becomes}`,
      addresses.length === 0 ? `none: ${notFetched}` : addresses.map(addressText).join("; "),
      path,
      licence,
    ],
  );
  const counts = [
    ...SOURCES.flatMap(({ path, expectedRows }): TableCell[][] =>
      expectedRows === undefined ? [] : [[path, "rows", count(expectedRows.rows)]],
    ),
    ...EXPECTED_COUNTS.map(({ path, what, rows }): TableCell[] => [path, what, count(rows)]),
  ];
  const mini = miniSuite().rows.map(({ task, inputs, settings }): TableCell[] => {
    const { limit, sample = {} } = Object.values(settings)[0];
    const sizes = Object.entries(sample).map(([kind, rows]) => `${count(rows)} ${kind}`);
    return [
      task,
      inputs.dataset ?? inputs["cell-line"] ?? "",
      Object.keys(settings).join(", "),
      limit === undefined ? sizes.join(", ") : count(limit),
    ];
  });
  return `${[
    "# Data and suites",
    "",
    GENERATED,
    "",
    "`dart-eval data fetch NAME --data FOLDER` brings a file to its place in the data folder, which has the layout of the benchmark's work",
    "directory; `data verify` checks digests and the numbers of rows below; `data bundle` and `data unpack` carry the folder to a machine without a",
    "network. Synapse asks for an account: a personal access token with the rights to view and download, in `SYNAPSE_AUTH_TOKEN`.",
    "",
    "## Files",
    "",
    table(["name", "tasks", "what", "from", "place", "licence"], files),
    "",
    "## What they rest on",
    "",
    table(
      ["name", "tasks", "what", "where"],
      CITED_SOURCES.map(({ name, tasks, what, address }) => [name, tasks.join(", "), what, address]),
    ),
    "",
    "## Numbers of rows that are checked",
    "",
    table(["file", "counted", "rows"], counts),
    "",
    "## Suites",
    "",
    "`dart-eval run --suite dart-eval --data FOLDER --model MODEL --out RUN` asks every task on every data set; `--suite mini` asks so few rows that 95 %",
    `intervals of the main metrics reach at most ${MINI_WIDTH} to either side, for independent rows and the worst variance there is: (1.96 / 2w)² rows for a share and,`,
    "one more, for each class of an AUROC, 3 + (1.96 / atanh w)² for a correlation, (1.96 / w)² / 2 for an adjusted mutual information with five lines. Task 3's AUROCs",
    "ask for three times as many rows as that, so its clustering is known to ±0.017 where ±0.03 is asked; but k-means finds other clusters in a part of the rows than in",
    "all of them, so its number on a part is no estimate of the number on all. `mini:WIDTH` takes another width. Rows near each other on a genome are less than",
    "independent, which the intervals over blocks tell; and the Yoruban set has 560 significant variants, whatever is asked. Trainings are cut to 4,096 rows and",
    "10 epochs, so their numbers are not those of whole trainings. `dart-eval suites mini` prints the suite as JSON, to be changed and given as a file.",
    "",
    table(["task", "data set", "settings", "rows of mini"], mini),
  ].join("\n")}\n`;
}

/** Every quirk of the original: what it is, what either protocol does, and what it changes. */
export function quirksPage(): string {
  const parts = QUIRKS.map(({ label, title, where, original, paper, corrected, effect, changesScores }) =>
    [
      `## ${label}: ${title}`,
      "",
      `${where}.`,
      "",
      table(
        ["", ""],
        [
          ["original", original],
          ["`paper`", paper],
          ["`corrected`", corrected],
          ["effect", effect],
          ...(changesScores === undefined
            ? []
            : [["shown", "scores differ: run both protocols; the report lists both results"]]),
        ],
      ),
    ].join("\n"),
  );
  return `${[
    "# Quirks of the original",
    "",
    GENERATED,
    "",
    "A quirk is a difference between what the scripts of DART-Eval do and what its paper describes. The protocol `paper` reproduces",
    "quirks, so that published numbers can be reproduced; `corrected`, the default, follows the paper's description. Where the same",
    "scores give both numbers, a result holds both and the report shows them next to each other.",
    "",
    parts.join("\n\n"),
  ].join("\n")}\n`;
}

/** Hyper-parameters of every task and setting under both protocols, with what differs by model family. */
export function recipesPage(): string {
  const parts = TASKS.flatMap((task) =>
    Object.keys(task.settings).map((setting) =>
      [`## ${task.title}, ${setting}`, "", ...recipeTables(task, setting)].join("\n"),
    ),
  );
  return `${[
    "# Hyper-parameters",
    "",
    GENERATED,
    "",
    "Values by task and setting. `none` means not limited, or never. `run --recipe name=value` replaces a value; the values used are",
    "part of a result's identity and are printed with it.",
    "",
    parts.join("\n\n"),
  ].join("\n")}\n`;
}

function recipeTables(task: Task, setting: string): string[] {
  const form = task.settings[setting];
  const of = (family: string | undefined, protocol: Protocol) =>
    recipeFor(form, { task: task.name, setting, family, protocol });
  const [corrected, paper] = [of(undefined, "corrected"), of(undefined, "paper")];
  const values = table(
    ["hyper-parameter", "corrected", "paper"],
    Object.keys(corrected).map((name) => [name, valueText(corrected[name]), valueText(paper[name])]),
  );
  const families = [...LANGUAGE_MODELS, ...BASELINES].flatMap(({ name: family }): TableCell[][] => {
    const [own, ownPaper] = [
      differences(corrected, of(family, "corrected")),
      differences(paper, of(family, "paper")),
    ];
    if (own === "" && ownPaper === "") return [];
    const reasons = deviations.filter(
      (row) =>
        (row.task === task.name || row.task === form.trainedBy) &&
        row.setting === setting &&
        row.family === family,
    );
    return [[family, own, ownPaper, reasons.map(({ because }) => because).join(" ")]];
  });
  if (families.length === 0) return [values];
  return [values, "", table(["family", "corrected", "paper", "reason"], families)];
}

/** `kernel 3, epochs 16`: values of `own` that are not those of `base`. */
function differences(base: Recipe, own: Recipe): string {
  return Object.entries(own)
    .filter(([name, value]) => base[name] !== value)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(", ");
}

const valueText = (value: Recipe[string] | undefined) => (value === null ? "none" : String(value));

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
