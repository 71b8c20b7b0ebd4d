import { extname } from "node:path";
import { InvalidArgumentError } from "commander";
import { InputError } from "../../base/errors.ts";
import { namesHint, quotedText } from "../../base/message-text.ts";
import { EXPORT_FORMATS, type ExportFormat, exportRuns } from "../../report/export/export-runs.ts";
import { type DefineCommand, examples, shellWord } from "../command.ts";

interface ExportCommandOptions {
  readonly out: string;
  readonly format?: readonly ExportFormat[];
}

export const defineExport: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .description(
      "Writes the rows, scores, metrics and figures of merged runs for other programs: pandas, R, DuckDB, spreadsheets, papers.",
    )
    .argument("<folder...>", "run folders")
    .requiredOption("--out <folder>", "folder for the files")
    .option(
      "--format <formats>",
      `formats, separated by commas (default: all): ${EXPORT_FORMATS.join(", ")}`,
      exportFormats,
    )
    .addHelpText(
      "after",
      examples({
        "rows, scores and metrics of two runs in every format": "dart-eval export runs/a runs/b --out export",
        "tables for a paper and Parquet files for Python or R":
          "dart-eval export runs/hyenadna --out export --format parquet,latex",
        "the figures of the report": "dart-eval export runs/a runs/b --out export --format svg,png",
      }),
    )
    .action(async (paths: string[], { out, format }: ExportCommandOptions) => {
      if (/^\.(csv|parquet|json|md|tex)$/i.test(extname(out))) {
        throw new InputError("an export is a folder; this is the name of a file", {
          place: { file: out },
          hint: `use --out FOLDER --format ${extname(out).slice(1).toLowerCase()}`,
        });
      }
      context.resume = "Run the same command again to write the remaining files.";
      const files = await exportRuns(paths, out, {
        ...(format === undefined ? {} : { formats: format }),
        onFile: (file) => terminal.say(`  ${file}`),
        signal,
      });
      terminal.say(
        `wrote ${files.length} files to ${shellWord(out)}${files.includes("columns.csv") ? "; columns.csv describes the columns of the rows" : ""}`,
      );
    });
};

/** Other names of formats. */
const ALIASES: Readonly<Record<string, ExportFormat>> = { md: "markdown", tex: "latex" };

function exportFormats(text: string): readonly ExportFormat[] {
  return text.split(",").map((word) => {
    const name = word.trim().toLowerCase();
    const format = ALIASES[name] ?? EXPORT_FORMATS.find((one) => one === name);
    if (format === undefined) {
      throw new InvalidArgumentError(
        `${quotedText(name)} is not a format. ${namesHint("formats", name, EXPORT_FORMATS)}`,
      );
    }
    return format;
  });
}
