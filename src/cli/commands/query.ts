import { Option } from "commander";
import { counted } from "../../base/message-text.ts";
import { csvText } from "../../report/export/csv.ts";
import { type QueryResult, type QueryValue, queryRuns } from "../../report/export/query.ts";
import { plainTable } from "../../report/table.ts";
import { type DefineCommand, examples } from "../command.ts";

interface QueryOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
}

export const defineQuery: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Runs SQL (DuckDB) over merged runs: views rows (facts and scores of each cell), metrics, breakdowns, strata and cells. Needs the optional package @duckdb/node-api.",
    )
    .argument("<sql>", "the query; it can read the views only")
    .argument("<folder...>", "run folders")
    .addOption(new Option("--json", "print a JSON object per row, as a list").conflicts("csv"))
    .option("--csv", "print CSV")
    .addHelpText(
      "after",
      examples({
        "main metrics, best first":
          'dart-eval query "SELECT task, setting, model, value, low, high FROM metrics WHERE main = 1 AND interval = 1 ORDER BY ALL" runs/a runs/b',
        "accuracy by chromosome":
          'dart-eval query "SELECT model, chrom, avg((element_log_likelihood > control_log_likelihood)::INT) AS accuracy FROM rows GROUP BY ALL ORDER BY ALL" runs/a',
        "columns of a view": 'dart-eval query "DESCRIBE rows" runs/a',
      }),
    )
    .action(async (sql: string, folders: string[], { json, csv }: QueryOptions) => {
      const result = await queryRuns(sql, folders);
      if (json) terminal.print(JSON.stringify(recordsOf(result), null, 2));
      else if (csv) terminal.print((await csvOf(result)).replace(/\r\n$/, ""));
      else terminal.print(textOf(result));
    });
};

/** Objects by column; of two columns of the same name the second has a number. */
function recordsOf({ columns, rows }: QueryResult): object[] {
  const names = columns.map((name, i) => (columns.indexOf(name) === i ? name : `${name}_${i + 1}`));
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
}

async function csvOf({ columns, rows }: QueryResult): Promise<string> {
  const cell = (value: QueryValue) => (value === null || typeof value === "number" ? value : shown(value));
  const table = {
    name: "query",
    fields: columns.map((name) => ({ name, type: "text" as const })),
    length: rows.length,
    async *blocks() {
      yield { length: rows.length, columns: columns.map((_, c) => rows.map((row) => cell(row[c]))) };
    },
  };
  let text = "";
  for await (const piece of csvText(table)) text += piece;
  return text;
}

function textOf({ columns, rows }: QueryResult): string {
  const isNumber = (c: number) => rows.some((row) => typeof row[c] === "number");
  return plainTable({
    caption: counted(rows.length, "row"),
    columns: columns.map((heading, c) => ({ heading, align: isNumber(c) ? "right" : "left" })),
    rows: rows.map((row) => row.map((value) => (value === null ? "" : shown(value)))),
  });
}

const shown = (value: QueryValue): string =>
  typeof value === "object" ? JSON.stringify(value) : String(value);
