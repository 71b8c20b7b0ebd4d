import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import type { PublishedResult } from "../../evaluation/published/published-result.ts";
import { readPublished } from "../../evaluation/published/read-published.ts";
import { fixed } from "../../report/numbers.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, examples } from "../command.ts";

interface PublishedOptions {
  readonly task?: string;
  readonly model?: string;
  readonly setting?: string;
  readonly json?: boolean;
}

export const definePublished: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Lists the values that the benchmark's authors published, with the table or notebook of each.",
    )
    .option("--task <name>", "values of this task")
    .option("--model <name>", "values of this model, by the authors' name or ours")
    .option("--setting <name>", "values in this setting")
    .option("--json", "print the values as JSON")
    .addHelpText(
      "after",
      examples({
        "published values of HyenaDNA in task 1":
          "dart-eval published --task regulatory-elements --model hyenadna",
      }),
    )
    .action(async ({ task, model, setting, json }: PublishedOptions) => {
      const all = await readPublished();
      const found = all.filter(
        (one) =>
          (task === undefined || one.task === task) &&
          (setting === undefined || one.setting === setting) &&
          (model === undefined || one.family === model || one.model.toLowerCase() === model.toLowerCase()),
      );
      if (found.length === 0) throw nothingFound(all, { task, model, setting });
      if (json) return terminal.print(JSON.stringify(found, null, 2));
      const sources = [...new Set(found.map(({ source }) => source))];
      const reasons = [...new Set(found.flatMap(({ unplaced }) => unplaced ?? []))];
      const headings = ["task", "setting", "model", "of", "metric", "value", "from", "note"] as const;
      terminal.print(
        plainTable({
          caption: `${found.length} published values`,
          columns: headings.map((heading) => ({ heading, align: heading === "value" ? "right" : "left" })),
          rows: found.map((one) => [
            one.task,
            one.setting,
            one.model,
            one.dataset ?? "",
            one.metric,
            Math.abs(one.value) >= 0.001 || one.value === 0
              ? fixed(one.value, 4)
              : one.value.toExponential(2),
            `[${sources.indexOf(one.source) + 1}]`,
            noteOf(one, reasons),
          ]),
          notes: [
            ...sources.map((source, i) => `[${i + 1}] ${source}`),
            ...reasons.map((reason, i) => `(${letter(i)}) not comparable with any result: ${reason}`),
          ],
        }),
      );
    });
};

/** Error that names the option with an unknown value; known values may also have no result together. */
function nothingFound(
  all: readonly PublishedResult[],
  given: Readonly<Record<"task" | "setting" | "model", string | undefined>>,
): InputError {
  for (const key of ["task", "setting", "model"] as const) {
    const name = given[key];
    const known = [
      ...new Set(all.flatMap((one) => (key === "model" ? [one.model, one.family ?? []].flat() : one[key]))),
    ];
    if (name === undefined || known.some((one) => one.toLowerCase() === name.toLowerCase())) continue;
    return new InputError(`no value was published for the ${key} ${JSON.stringify(name)}`, {
      hint: namesHint(`${key}s`, name, known),
    });
  }
  return new InputError("no value was published for this combination of task, setting and model", {
    hint: "leave one of the options out",
  });
}

const letter = (i: number) => String.fromCharCode("a".charCodeAt(0) + i);

function noteOf({ superseded, unplaced }: PublishedResult, reasons: readonly string[]): string {
  if (unplaced !== null) return `(${letter(reasons.indexOf(unplaced))})`;
  return superseded ? "superseded" : "";
}
