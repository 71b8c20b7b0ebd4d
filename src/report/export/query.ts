import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, temporaryFolder } from "../../base/folder.ts";
import { optionalPackage } from "../../base/package.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { CustomForms } from "../../evaluation/runs/forms.ts";
import type { StoredResult } from "../../evaluation/runs/stored-results.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import type { FieldTable } from "./field-table.ts";
import { recordTables } from "./result-records.ts";
import { cellRowTable } from "./row-tables.ts";

/** Value of a query's result that JSON can represent. */
export type QueryValue =
  | string
  | number
  | boolean
  | null
  | readonly QueryValue[]
  | { readonly [key: string]: QueryValue };

/** Result of a query. */
export interface QueryResult {
  readonly columns: readonly string[];
  /** [rows][columns] */
  readonly rows: readonly (readonly QueryValue[])[];
}

/**
 * Runs SQL over merged runs with DuckDB, an optional package. The views are `rows` (one line per row and
 * cell: facts and scores), `metrics`, `breakdowns`, `strata` and `cells`, as `exportRuns` writes them. The
 * SQL cannot open other files, use the network or load extensions.
 *
 *     await queryRuns("SELECT model, value FROM metrics WHERE main = 1", ["runs/hyenadna"]);
 *
 * @param paths  folders of runs; a cell that several runs have counts once
 * @throws {InputError} when the package is not installed, a path is not a merged run, or the SQL is not valid
 */
export async function queryRuns(
  sql: string,
  paths: readonly string[],
  forms: CustomForms = {},
): Promise<QueryResult> {
  if (sql.trim() === "") throw new InputError("the query is empty", { hint: VIEWS });
  if (!/\s/.test(sql) && (await kindOfPath(sql)) === "folder") {
    throw new InputError(`${sql} is a folder`, { hint: "give the query first, then the folders of runs" });
  }
  const { DuckDBInstance } = await optionalPackage(
    "@duckdb/node-api",
    { for: "queries", size: "70 MB" },
    () => import("@duckdb/node-api"),
  );
  const results = await runResults(paths);
  await using folder = await temporaryFolder();
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  try {
    const connection = await instance.connect();
    try {
      await createViews(connection, results, folder.path, { withRows: /\brows\b/i.test(sql), forms });
      return await resultOf(connection, sql);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

async function createViews(
  connection: DuckDBConnection,
  results: readonly StoredResult[],
  folder: string,
  { withRows, forms }: { readonly withRows: boolean; readonly forms: CustomForms },
): Promise<void> {
  const { parquetBytes } = await import("./parquet.ts");
  const load = async (table: FieldTable, file = `${table.name}.parquet`) => {
    const path = join(folder, file);
    await writeFileAtomic(path, parquetBytes(table));
    return path;
  };
  for (const table of await recordTables(results, forms)) {
    const path = await load(table);
    await connection.run(`CREATE VIEW ${table.name} AS SELECT * FROM read_parquet(${literal(path)})`);
  }
  if (withRows) {
    const paths: string[] = [];
    for (const [i, stored] of results.entries()) {
      const table = await cellRowTable(stored, join(folder, `spill-${i}`), forms);
      paths.push(await load(table, `rows-${i}.parquet`));
    }
    const files = `[${paths.map(literal).join(", ")}]`;
    await connection.run(
      `CREATE VIEW rows AS SELECT task, dataset, setting, protocol, model, r.* FROM read_parquet(${files}, union_by_name = true) r JOIN cells USING (cell)`,
    );
  }
  // The views read the folder; the query itself can open nothing else, and cannot undo this.
  await connection.run(`SET allowed_directories = [${literal(folder)}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
}

const VIEWS = "views: rows, metrics, breakdowns, strata, cells; DESCRIBE VIEW lists the columns of one";

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

async function resultOf(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  try {
    const reader = await connection.runAndReadAll(sql);
    return {
      columns: reader.columnNames(),
      rows: reader.getRowsJS().map((row) => row.map(plainValue)),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Below its first line, DuckDB quotes the query and suggests names of its own catalogue.
    const [what, ...quoted] = error.message.trim().split("\n");
    const marked = quoted.find((line) => line.startsWith("LINE "));
    const message = marked === undefined ? what : `${what} (${marked})`;
    throw new InputError(message.length > 300 ? `${message.slice(0, 300)}…` : message, {
      hint: VIEWS,
      cause: error,
    });
  }
}

/** A value of DuckDB as JSON: exact numbers that a float64 cannot hold become texts, dates ISO 8601. */
function plainValue(value: unknown): QueryValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return value.toISOString();
      if (Array.isArray(value)) return value.map(plainValue);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
    default:
      return String(value);
  }
}
