/**
 * Results as tables and as one HTML page.
 *
 * @module dart-eval/report
 */

export { type DocumentFormat, reportDocument } from "./documents.ts";
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportOptions,
  exportRuns,
} from "./export/export-runs.ts";
export { type QueryResult, type QueryValue, queryRuns } from "./export/query.ts";
export { htmlTable } from "./html.ts";
export { leaderboardTable } from "./leaderboard.ts";
export { type ServeOptions, serveRuns } from "./live/serve-runs.ts";
export { type PageAssets, readPageAssets, renderPage } from "./page.ts";
export { type Entry, type Panel, panelsOf } from "./panels.ts";
export { gatherReport, type Report, type ReportOptions } from "./report.ts";
export {
  type LeaderboardOptions,
  type LeaderboardOutcome,
  writeLeaderboard,
} from "./submissions/leaderboard-folder.ts";
export { submittedCells } from "./submissions/submitted-cells.ts";
export {
  latexTable,
  markdownTable,
  plainTable,
  type Table,
  type TableCell,
  type TableColumn,
} from "./table.ts";
export {
  REPORT_FORMATS,
  type ReportFormat,
  reportFormat,
  reportText,
  type WriteReportOptions,
  writeReport,
} from "./write-report.ts";
