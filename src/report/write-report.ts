import { extname } from "node:path";
import { InputError } from "../base/errors.ts";
import { asSoleWriter } from "../base/file-lock.ts";
import { checkWritableFile } from "../base/folder.ts";
import { counted } from "../base/message-text.ts";
import { writeFileAtomic } from "../base/write-file.ts";
import type { Motif } from "../dna/motifs/motif.ts";
import type { CustomForms } from "../evaluation/runs/forms.ts";
import type { StoredResult } from "../evaluation/runs/stored-results.ts";

/** Formats of a report: one HTML page, its tables as text, Markdown or LaTeX, or the results themselves. */
export const REPORT_FORMATS = ["html", "text", "md", "latex", "json"] as const;
/** A format of a report. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** Options of `writeReport`, with the custom tasks, settings and model families of the runs. */
export interface WriteReportOptions extends CustomForms {
  /** Default: by the ending of the file. */
  readonly format?: ReportFormat;
  /** Title of the page. */
  readonly title?: string;
  /** Motifs in MEME format, such as those of the task's data, of which the page shows logos. */
  readonly motifs?: string;
}

/**
 * Writes a report of merged runs to a file. Loads tasks and tables with the first call.
 *
 *     await writeReport("runs/hyenadna", "report.html");
 *     await writeReport(["runs/hyenadna", "runs/caduceus"], "table.tex");
 *
 * @param runs  folder of a run, or several folders to compare; a folder given twice counts once
 * @param file  .html, .md, .tex, .txt or .json; an existing file is replaced
 * @throws {InputError} when there is no folder, or one is not a merged run, the file has another ending or
 *   cannot be written, or the results have none of the motifs
 */
export async function writeReport(
  runs: string | readonly string[],
  file: string,
  { format = reportFormat(file), ...options }: WriteReportOptions = {},
): Promise<void> {
  const folders = typeof runs === "string" ? [runs] : runs;
  if (folders.length === 0) {
    throw new InputError("no run given", { hint: "give the folder of at least one merged run" });
  }
  await checkWritableFile(file);
  const { runResults } = await import("../evaluation/runs/stored-results.ts");
  const results = await runResults(folders);
  const text = await reportText(results, format, options);
  await asSoleWriter(file, () => writeFileAtomic(file, text));
}

/** The report as text: an HTML document, tables or JSON. */
export async function reportText(
  results: readonly StoredResult[],
  format: ReportFormat,
  { title, motifs, ...forms }: Omit<WriteReportOptions, "format"> = {},
): Promise<string> {
  if (format === "json") return `${JSON.stringify(results, null, 2)}\n`;
  const { gatherReport } = await import("./report.ts");
  const report = await gatherReport(results, {
    ...forms,
    ...(title === undefined ? {} : { title }),
    ...(motifs === undefined ? {} : { motifs: await motifsOf(motifs, results) }),
  });
  if (format !== "html") return (await import("./documents.ts")).reportDocument(report, format);
  const { readPageAssets, renderPage } = await import("./page.ts");
  return renderPage(report, await readPageAssets());
}

/**
 * Motifs of a file that results name.
 * @throws {InputError} when the file is not valid, or has none of their motifs
 */
async function motifsOf(file: string, results: readonly StoredResult[]): Promise<ReadonlyMap<string, Motif>> {
  const { readMotifs } = await import("../dna/motifs/meme.ts");
  const { motifs } = await readMotifs(file);
  const named = new Set(
    results.flatMap(({ result }) =>
      (result.breakdowns ?? []).flatMap(({ name, rows }) =>
        name === "motifs" ? rows.map((row) => row.name) : [],
      ),
    ),
  );
  const found = motifs.filter(({ name }) => named.has(name));
  if (found.length > 0) return new Map(found.map((motif) => [motif.name, motif]));
  const [first] = named;
  throw new InputError(
    first === undefined
      ? "motifs are given, but no result has motifs"
      : `the results have none of the ${counted(motifs.length, "motif")} of the file`,
    {
      place: { file },
      hint:
        first === undefined
          ? "leave them out, or report a run of a task with motifs"
          : `the results have ${first}: give the motifs that their data were built from`,
    },
  );
}

const BY_ENDING: Readonly<Record<string, ReportFormat>> = {
  ".html": "html",
  ".htm": "html",
  ".md": "md",
  ".tex": "latex",
  ".txt": "text",
  ".json": "json",
};

const endings = Object.keys(BY_ENDING).join(", ");
/** Endings of files that `exportRuns` writes, or of their counterparts elsewhere. */
const EXPORTED: ReadonlySet<string> = new Set([".png", ".svg", ".csv", ".tsv", ".parquet", ".xlsx"]);

/**
 * Format of a report by the ending of its file, in either case.
 *
 * @throws {InputError} for an ending that is not in the list
 */
export function reportFormat(file: string): ReportFormat {
  const format = BY_ENDING[extname(file).toLowerCase()];
  if (format !== undefined) return format;
  const ending = extname(file);
  throw new InputError(
    ending === "" ? "the file has no ending" : `no report format has the ending ${JSON.stringify(ending)}`,
    {
      place: { file },
      hint: EXPORTED.has(ending.toLowerCase())
        ? `\`dart-eval export\` writes figures as PNG and SVG, and tables as CSV and Parquet; a report is ${endings}`
        : `use one of ${endings}, or name the format`,
    },
  );
}
