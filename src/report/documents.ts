import { intervalsTable } from "./intervals-table.ts";
import { leaderboardTable } from "./leaderboard.ts";
import { measurementsTable, quantilesTable } from "./measurements-table.ts";
import { panelTitle } from "./panels.ts";
import { publishedTable } from "./published-table.ts";
import { quirksTable, scoreQuirksTable } from "./quirks-table.ts";
import type { Report, ReportPanel } from "./report.ts";
import { strataTables } from "./strata-tables.ts";
import { latexTable, markdownTable, plainTable, type Table } from "./table.ts";

/** A text format of a report. */
export type DocumentFormat = "text" | "md" | "latex";

const WRITERS: Readonly<Record<DocumentFormat, (table: Table) => string>> = {
  text: plainTable,
  md: markdownTable,
  latex: latexTable,
};

/** All tables of a report as text. */
export function reportDocument({ panels }: Report, format: DocumentFormat): string {
  return tablesDocument(panels.flatMap(tablesOf), format);
}

/** Tables as text, separated by empty lines. */
export function tablesDocument(tables: readonly Table[], format: DocumentFormat): string {
  return `${tables.map(WRITERS[format]).join("\n\n")}\n`;
}

function tablesOf(panel: ReportPanel): Table[] {
  return [
    leaderboardTable(panel, panelTitle(panel.heading.title, panel)),
    quantilesTable(panel),
    measurementsTable(panel),
    ...strataTables(panel, panel.strata),
    publishedTable(panel.published, panel),
    quirksTable(panel),
    scoreQuirksTable(panel),
    intervalsTable(panel),
  ].filter((table) => table !== undefined);
}
