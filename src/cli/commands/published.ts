import { InputError } from "../../base/errors.ts";
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

export const define: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Lists the numbers that the benchmark's authors printed, with the table or notebook each comes from.",
    )
    .option("--task <name>", "of one task")
    .option("--model <name>", "of one model, by the authors' name or ours")
    .option("--setting <name>", "of one setting")
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      examples({
        "what HyenaDNA should reach in task 1":
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
      if (found.length === 0) {
        const known = (key: "task" | "model" | "setting") =>
          [...new Set(all.map((one) => one[key]))].join(", ");
        throw new InputError("nothing was published of that", {
          hint: `there are the tasks ${known("task")}; the settings ${known("setting")}; the models ${known("model")}`,
        });
      }
      if (json) return terminal.print(JSON.stringify(found, null, 2));
      const sources = [...new Set(found.map(({ source }) => source))];
      const reasons = [...new Set(found.flatMap(({ unplaced }) => unplaced ?? []))];
      const headings = ["task", "setting", "model", "of", "metric", "value", "from", "note"] as const;
      terminal.print(
        plainTable({
          caption: `${found.length} published numbers`,
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
            ...reasons.map((reason, i) => `(${letter(i)}) next to no result: ${reason}`),
          ],
        }),
      );
    });
};

const letter = (i: number) => String.fromCharCode("a".charCodeAt(0) + i);

function noteOf({ superseded, unplaced }: PublishedResult, reasons: readonly string[]): string {
  if (unplaced !== null) return `(${letter(reasons.indexOf(unplaced))})`;
  return superseded ? "superseded" : "";
}
