import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { z } from "zod";
import { InputError, InternalError } from "../../base/errors.ts";
import { takeLock } from "../../base/file-lock.ts";
import { checkWritableFolder, isInsidePath, namesInFolder, temporaryFolder } from "../../base/folder.ts";
import { programFile, version } from "../../base/package.ts";
import { bytesIfPresent } from "../../base/read-file.ts";
import { removeFile, removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { cellName } from "../../evaluation/runs/cell.ts";
import type { CustomForms } from "../../evaluation/runs/forms.ts";
import { readableJson, readRecord } from "../../evaluation/runs/run-folder.ts";
import { runResults, type StoredResult } from "../../evaluation/runs/stored-results.ts";
import { reportDocument } from "../documents.ts";
import type { FileFigure } from "../figure-data.ts";
import { fileFigures } from "../file-figures.ts";
import { panelId } from "../panels.ts";
import { gatherReport, modelsOf, type Report } from "../report.ts";
import { csvText } from "./csv.ts";
import { type FieldTable, type RecordTable, recordTable } from "./field-table.ts";
import { recordTables } from "./result-records.ts";
import { type RowTable, rowTables } from "./row-tables.ts";

/**
 * Formats of an export: rows and metrics as CSV or Parquet, metrics as JSON, tables as Markdown or LaTeX,
 * figures as SVG or PNG.
 */
export const EXPORT_FORMATS = ["csv", "parquet", "json", "markdown", "latex", "svg", "png"] as const;
/** A format of an export. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Options of `exportRuns`, with the custom tasks, settings and model families of the runs. */
export interface ExportOptions extends CustomForms {
  /** Default: all. */
  readonly formats?: readonly ExportFormat[];
  /** Receives the path of each written file, relative to the folder. */
  readonly onFile?: (path: string) => void;
  /** Stops after the current file. */
  readonly signal?: AbortSignal | undefined;
}

/** Name of the list of files, which is written last. */
const MANIFEST = "export.json";

const manifestSchema = z.object({
  format: z.literal("dart-eval export"),
  formatVersion: z.literal(1),
  toolkit: z.string(),
  files: z.array(z.string().refine(isInsidePath, "expected a path inside the folder")),
});

/**
 * Writes merged runs as files for other programs: rows with their facts and every model's scores, metrics in
 * tidy form, tables and figures. docs/export.md describes the files. Replaces an earlier export in the
 * folder.
 *
 *     await exportRuns(["runs/hyenadna", "runs/markov"], "export", { formats: ["parquet"] });
 *
 * @param paths  folders of runs; a cell that several runs have is exported once
 * @returns      paths of the files, relative to the folder
 * @throws {InputError} when a path is not a merged run, or the folder has other files or cannot be written
 */
export async function exportRuns(
  paths: readonly string[],
  folder: string,
  { formats = EXPORT_FORMATS, onFile, signal, ...forms }: ExportOptions = {},
): Promise<readonly string[]> {
  const results = await runResults(paths);
  await checkWritableFolder(folder);
  await using _ = await takeLock(join(folder, "export.lock"));
  const before = await earlierFiles(folder);
  const files: string[] = [];
  const write: Target["write"] = async (name, data) => {
    signal?.throwIfAborted();
    const path = join(folder, name);
    await removeTemporaryFiles(path);
    await writeFileAtomic(path, data);
    files.push(name);
    onFile?.(name);
  };
  const writeManifest = (names: readonly string[]) =>
    writeFileAtomic(
      join(folder, MANIFEST),
      readableJson({ format: "dart-eval export", formatVersion: 1, toolkit: version, files: names }),
    );
  // Written first too, so that an interrupted export can be repeated in the folder.
  await writeManifest(before);
  const target: Target = { formats, write };
  const wants = (...some: readonly ExportFormat[]) => some.some((format) => formats.includes(format));
  await writeRecords(await recordTables(results, forms), target);
  if (wants("csv", "parquet")) await writeRows(results, forms, target);
  if (wants("markdown", "latex", "svg", "png")) {
    const report = await gatherReport(results, forms);
    await writeDocuments(report, target);
    if (wants("svg", "png")) await writeFigures(report, target);
  }
  for (const name of before) if (!files.includes(name)) await removeFile(join(folder, name));
  await writeManifest(files);
  return files;
}

interface Target {
  readonly formats: readonly ExportFormat[];
  /** Writes a file of the export by its path in the folder. */
  readonly write: (name: string, data: Parameters<typeof writeFileAtomic>[1]) => Promise<void>;
}

async function writeTable(name: string, table: FieldTable, { formats, write }: Target): Promise<void> {
  if (formats.includes("csv")) await write(`${name}.csv`, csvText(table));
  if (!formats.includes("parquet")) return;
  const { parquetBytes } = await import("./parquet.ts");
  await write(`${name}.parquet`, parquetBytes(table));
}

async function writeRecords(tables: readonly RecordTable[], target: Target): Promise<void> {
  for (const table of tables) {
    if (table.length === 0) continue;
    await writeTable(table.name, table, target);
    if (!target.formats.includes("json")) continue;
    await target.write(`${table.name}.json`, readableJson(table.records));
  }
}

/** Writes the tables of rows, then the table of their columns. */
async function writeRows(
  results: readonly StoredResult[],
  forms: CustomForms,
  target: Target,
): Promise<void> {
  await using spill = await temporaryFolder();
  const written: RowTable[] = [];
  for await (const table of rowTables(results, spill.path, forms)) {
    await writeTable(`rows/${table.name}`, table, target);
    written.push(table);
  }
  const columns = columnTable(written);
  await writeTable(columns.name, columns, target);
}

/** Writes one document per panel and format. */
async function writeDocuments(report: Report, { formats, write }: Target): Promise<void> {
  const documents = DOCUMENTS.filter(({ format }) => formats.includes(format));
  for (const panel of report.panels) {
    const own = { ...report, panels: [panel] };
    for (const { document, ending } of documents) {
      await write(`tables/${panelId(panel)}.${ending}`, reportDocument(own, document));
    }
  }
}

async function writeFigures(report: Report, { formats, write }: Target): Promise<void> {
  for (const figure of fileFigures(report)) {
    const svg = await figureDocument(figure, modelsOf(report));
    if (formats.includes("svg")) await write(`figures/${figure.id}.svg`, svg);
    if (formats.includes("png")) await write(`figures/${figure.id}.png`, await svgPng(svg));
  }
}

const DOCUMENTS = [
  { format: "markdown", document: "md", ending: "md" },
  { format: "latex", document: "latex", ending: "tex" },
] as const;

/**
 * Files of an earlier export; none for an empty folder. @throws {InputError} when the folder has other files
 */
async function earlierFiles(folder: string): Promise<readonly string[]> {
  const manifest = await readRecord(join(folder, MANIFEST), manifestSchema);
  if (manifest !== undefined) return manifest.files;
  const names = (await namesInFolder(folder)).filter((name) => !/^\.|^export\.lock/.test(name));
  if (names.length === 0) return [];
  throw new InputError(`the folder has other files and no export (it has ${names.slice(0, 3).join(", ")})`, {
    place: { file: folder },
    hint: "choose a new or an empty folder",
  });
}

/** Description of each column of the tables of rows. */
function columnTable(tables: readonly RowTable[]): RecordTable {
  const types = {
    table: "text",
    column: "text",
    type: "text",
    kind: "text",
    what: "text",
    cell: "text",
    setting: "text",
    protocol: "text",
    model: "text",
  } as const;
  const records = tables.flatMap(({ name, fields }) =>
    fields.map(({ name: column, type, kind, what, cell: of }) => ({
      table: name,
      column,
      type,
      kind,
      what,
      cell: of === undefined ? null : cellName(of.identity),
      setting: of?.cell.setting ?? null,
      protocol: of?.cell.protocol ?? null,
      model: of?.cell.model.name ?? null,
    })),
  );
  return recordTable("columns", types, records);
}

/** Exports of `client/figure-files.ts`, which uses libraries for browsers and is built as one file. */
interface FigureFiles {
  /** Fonts in WOFF2. */
  readonly FONTS: readonly Uint8Array[];
  figureSvg(figure: FileFigure, models: readonly string[]): string;
}

let loaded: Promise<FigureFiles> | undefined;

function figureFiles(): Promise<FigureFiles> {
  const file = `report/client/figure-files${extname(import.meta.url)}`;
  loaded ??= import(programFile(file).href);
  return loaded;
}

/**
 * A figure as an SVG document with its colours, fonts and key. Equal figures give equal bytes.
 *
 * @param models  all models of the report, in the order of their colours
 */
export async function figureDocument(figure: FileFigure, models: readonly string[]): Promise<string> {
  return (await figureFiles()).figureSvg(figure, models);
}

/** Pixels of a PNG for each pixel of the SVG. */
const SCALE = 2;

let renderer: Promise<typeof import("@resvg/resvg-wasm").Resvg> | undefined;

/** The renderer with its WebAssembly module, which can be loaded once per process. */
async function loadRenderer() {
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  const file = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
  const code = await bytesIfPresent(file);
  if (code === undefined) throw new InternalError(`${file} is missing`);
  await initWasm(code);
  return Resvg;
}

/** PNG of an SVG document of `figureDocument`, with twice its width and height. */
export async function svgPng(svg: string): Promise<Uint8Array> {
  renderer ??= loadRenderer();
  const Resvg = await renderer;
  const { FONTS } = await figureFiles();
  const drawing = new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: { fontBuffers: [...FONTS], defaultFontFamily: "Arimo", sansSerifFamily: "Arimo" },
  });
  try {
    return drawing.render().asPng();
  } finally {
    drawing.free();
  }
}
