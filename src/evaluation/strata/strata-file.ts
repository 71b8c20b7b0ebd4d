import { basename, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readableJson, readRecord } from "../runs/run-folder.ts";
import { type CellResult, estimateSchema, type StoredResult } from "../runs/stored-results.ts";

/**
 * Contents of `strata.json` in a cell's folder: the main metric of each stratum of the cell's rows.
 * `docs/strata.md` describes it.
 */
export interface CellStrata {
  readonly format: "dart-eval strata";
  readonly formatVersion: 1;
  /** Identity of the cell. */
  readonly identity: string;
  readonly metric: Pick<CellResult["metrics"][number], "name" | "title" | "column" | "better">;
  /** Minimum numbers of a stratum whose metric is computed. */
  readonly rule: StrataRule;
  /** The metric of all rows, with the interval that strata have. */
  readonly whole: StratumMetric;
  readonly stratifications: readonly StratifiedMetric[];
}

/** Minimum numbers of a stratum; smaller ones are listed without a metric. */
export interface StrataRule {
  readonly rows: number;
  /** Independent blocks of the interval. */
  readonly blocks: number;
  /** Rows of the rarer class, for metrics over two classes. */
  readonly ofClass: number;
}

/** The metric of some rows. */
export interface StratumMetric {
  readonly rows: number;
  readonly value: number | null;
  /** Interval over blocks; null if suppressed or not defined. */
  readonly interval: CellResult["metrics"][number]["intervals"][number] | null;
  /** Reason of a null value. */
  readonly suppressed?: string;
}

/** The metric of one stratum. */
export interface Stratum extends StratumMetric {
  readonly name: string;
  /** Least number of a bin, included; null: no bound. */
  readonly from?: number | null;
  /** Upper bound of a bin, excluded; null: no bound. */
  readonly to?: number | null;
}

/** The metric by one property of rows. */
export interface StratifiedMetric {
  readonly name: string;
  /** Label for tables. */
  readonly title: string;
  /** Name of the file that the property comes from. */
  readonly file?: string;
  /** In the order of tables. They partition the rows but those that are unknown or in every stratum. */
  readonly strata: readonly Stratum[];
  /** Rows without a value, which are in no stratum. */
  readonly unknown: number;
  /** Rows that every stratum contains, such as controls. */
  readonly shared: number;
  readonly notes: readonly string[];
}

const metric = z.object({
  rows: z.int().nonnegative(),
  value: z.number().nullable(),
  interval: estimateSchema.nullable(),
  suppressed: z.string().exactOptional(),
});

const strataSchema: z.ZodType<CellStrata> = z.object({
  format: z.literal("dart-eval strata"),
  formatVersion: z.literal(1),
  identity: z.string(),
  metric: z.object({
    name: z.string(),
    title: z.string(),
    column: z.string().exactOptional(),
    better: z.enum(["higher", "lower", "neither"]),
  }),
  rule: z.object({ rows: z.int(), blocks: z.int(), ofClass: z.int() }),
  whole: metric,
  stratifications: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      file: z.string().exactOptional(),
      strata: z.array(
        metric.extend({
          name: z.string(),
          from: z.number().nullable().exactOptional(),
          to: z.number().nullable().exactOptional(),
        }),
      ),
      unknown: z.int().nonnegative(),
      shared: z.int().nonnegative(),
      notes: z.array(z.string()),
    }),
  ),
});

const STRATA_FILE = "strata.json";

/** Stratum names of rows: one line per row, columns by stratification. */
export interface StrataOfRows {
  /** Row numbers, ascending. */
  readonly rows: ArrayLike<number>;
  readonly columns: readonly {
    readonly name: string;
    /** Name of the stratum of the i-th row; "" unknown, "*" in every stratum. */
    readonly nameOf: (i: number) => string;
  }[];
}

/** Writes `strata.tsv`, then `strata.json`, into a cell's folder. */
export async function writeStrata(folder: string, strata: CellStrata, ofRows: StrataOfRows): Promise<void> {
  await writeFileAtomic(join(folder, "strata.tsv"), strataTable(ofRows));
  await writeFileAtomic(join(folder, STRATA_FILE), readableJson(strata));
}

function* strataTable({ rows, columns }: StrataOfRows): Generator<string> {
  const cell = (text: string) => text.replace(/[\t\r\n]/g, " ");
  let text = `${["idx", ...columns.map(({ name }) => cell(name))].join("\t")}\n`;
  for (let i = 0; i < rows.length; i++) {
    text += `${[rows[i], ...columns.map(({ nameOf }) => cell(nameOf(i)))].join("\t")}\n`;
    if (text.length < 2 ** 18) continue;
    yield text;
    text = "";
  }
  yield text;
}

/**
 * Reads the strata of a result; undefined if `dart-eval strata` was not run on it, or on another result in
 * its place.
 *
 * @throws {FormatError} when the file is not valid
 */
export async function readStrata({ folder, result }: StoredResult): Promise<CellStrata | undefined> {
  const strata = await readRecord(join(folder, STRATA_FILE), strataSchema);
  return strata?.identity === result.identity ? strata : undefined;
}

/** Name of a file without its folder, which is of one machine only. */
export const fileName = (path: string | undefined): { readonly file?: string } =>
  path === undefined ? {} : { file: basename(path) };
