import { resolve } from "node:path";
import { Option } from "commander";
import { InputError } from "../../base/errors.ts";
import { asSoleWriter } from "../../base/file-lock.ts";
import { expectWritableFile } from "../../base/folder.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readPublished } from "../../evaluation/published/read-published.ts";
import type { StoredResult } from "../../evaluation/runs/result.ts";
import { TASKS } from "../../evaluation/tasks/catalogue.ts";
import {
  DOCUMENT_FORMATS,
  type DocumentFormat,
  reportDocument,
  tablesDocument,
} from "../../report/documents.ts";
import { readPageAssets, renderPage } from "../../report/page.ts";
import { paperTables } from "../../report/paper-tables.ts";
import { gatherReport } from "../../report/report.ts";
import { type DefineCommand, examples } from "../command.ts";
import { resultsOf, runFolders } from "../run-results.ts";

interface ReportOptions {
  readonly out?: string;
  readonly format?: "html" | "json" | DocumentFormat;
  readonly title?: string;
  readonly paperTables?: boolean;
}

export const define: DefineCommand = (command, { terminal }) => {
  command
    .description("Writes merged results as one HTML page, or as tables.")
    .argument("<folder...>", "run folders; several are compared")
    .option("--out <file>", "where to write; without it the text goes to standard output")
    .addOption(
      new Option("--format <format>", "what to write; without it, what the ending of --out says").choices([
        "html",
        ...DOCUMENT_FORMATS,
        "json",
      ]),
    )
    .option("--title <text>", "the page's title")
    .option("--paper-tables", "only the tables of the benchmark's paper, as text, md or latex")
    .addHelpText(
      "after",
      examples({
        "one page that opens from disk": "dart-eval report runs/hyenadna --out report.html",
        "two runs compared, as a table for a paper": "dart-eval report runs/a runs/b --format latex",
        "the tables of the benchmark's paper": "dart-eval report runs/suite --paper-tables --out tables.tex",
      }),
    )
    .action(async (paths: string[], options: ReportOptions) => {
      if (options.out !== undefined) await expectWritableFile(options.out);
      const found = (await Promise.all(paths.map(runFolders))).flat();
      // A run named twice, as `runs/*` and its own name do, is one run.
      const folders = [...new Map(found.map((folder) => [resolve(folder), folder])).values()];
      const results = await resultsOf(folders);
      const format = options.format ?? formatOf(options.out);
      const text = await written();
      if (options.out === undefined) return terminal.print(text.trimEnd());
      const { out } = options;
      await asSoleWriter(out, () => writeFileAtomic(out, text));
      terminal.say(`wrote ${options.out}`);

      async function written(): Promise<string> {
        if (format === "json") return `${JSON.stringify(results, null, 2)}\n`;
        if (options.paperTables) return paperDocument(results, format);
        const { title } = options;
        const report = await gatherReport(results, {
          tasks: TASKS,
          ...(title === undefined ? {} : { title }),
        });
        return format === "html"
          ? renderPage(report, await readPageAssets())
          : reportDocument(report, format);
      }
    });
};

async function paperDocument(
  results: readonly StoredResult[],
  format: "html" | DocumentFormat,
): Promise<string> {
  if (format === "html") {
    throw new InputError("--paper-tables are written as text, md or latex", { hint: "add --format md" });
  }
  const tables = paperTables(results, await readPublished());
  if (tables.length > 0) return tablesDocument(tables, format);
  throw new InputError("none of these results has a number that stands in the paper's tables");
}

function formatOf(out: string | undefined): NonNullable<ReportOptions["format"]> {
  const ending = out?.split(".").at(-1)?.toLowerCase();
  const byEnding = { html: "html", htm: "html", md: "md", tex: "latex", json: "json" } as const;
  return byEnding[ending as keyof typeof byEnding] ?? "text";
}
