import { Option } from "commander";
import { InputError } from "../../base/errors.ts";
import { asSoleWriter } from "../../base/file-lock.ts";
import { checkWritableFile } from "../../base/folder.ts";
import { withoutUndefined } from "../../base/record.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readPublished } from "../../evaluation/published/read-published.ts";
import type { StoredResult } from "../../evaluation/runs/stored-results.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import { tablesDocument } from "../../report/documents.ts";
import { paperTables } from "../../report/paper-tables.ts";
import { REPORT_FORMATS, type ReportFormat, reportFormat, reportText } from "../../report/write-report.ts";
import { type DefineCommand, examples, OutputFileOption } from "../command.ts";

interface ReportOptions {
  readonly out?: string;
  readonly format?: ReportFormat;
  readonly title?: string;
  readonly motifs?: string;
  readonly paperTables?: boolean;
}

export const defineReport: DefineCommand = (command, { terminal }) => {
  command
    .description("Writes merged results as one HTML page, or as tables.")
    .argument("<folder...>", "run folders; several are compared")
    .addOption(
      new OutputFileOption("--out <file>", "where to write; without it the text goes to standard output"),
    )
    .addOption(
      new Option(
        "--format <format>",
        "output format (default: by the ending of --out, or text on standard output)",
      ).choices(REPORT_FORMATS),
    )
    .option("--title <text>", "the page's title")
    .option("--motifs <file>", "motifs of the task's data in MEME format: the page shows their logos")
    .option("--paper-tables", "only the tables of the benchmark's paper, as text, md or latex")
    .addHelpText(
      "after",
      examples({
        "one page that opens from disk": "dart-eval report runs/hyenadna --out report.html",
        "one page with logos of the motifs":
          "dart-eval report runs/hyenadna --motifs H12CORE_meme_format.meme --out report.html",
        "two runs compared, as a table for a paper": "dart-eval report runs/a runs/b --format latex",
        "the tables of the benchmark's paper": "dart-eval report runs/suite --paper-tables --out tables.tex",
      }),
    )
    .action(async (paths: string[], options: ReportOptions) => {
      const { out, title, motifs } = options;
      if (out !== undefined) await checkWritableFile(out);
      const format = options.format ?? (out === undefined ? "text" : reportFormat(out));
      const results = await runResults(paths);
      const text = options.paperTables
        ? await paperDocument(results, format)
        : await reportText(results, format, {
            ...withoutUndefined({ title, motifs }),
          });
      if (out === undefined) return terminal.print(text.trimEnd());
      await asSoleWriter(out, () => writeFileAtomic(out, text));
      terminal.say(`wrote ${out}`);
    });
};

async function paperDocument(results: readonly StoredResult[], format: ReportFormat): Promise<string> {
  if (format === "html" || format === "json") {
    throw new InputError("--paper-tables supports the formats text, md and latex", {
      hint: "add --format md",
    });
  }
  const tables = paperTables(results, await readPublished());
  if (tables.length > 0) return tablesDocument(tables, format);
  throw new InputError("none of these results is in the tables of the benchmark's paper");
}
