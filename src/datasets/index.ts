/**
 * Tables of the benchmark: sources, builders, readers and writers.
 *
 * @module dart-eval/datasets
 */

export { buildCellTypeElements, type CellTypeBuild } from "./cell-type-elements/build.ts";
export { type ConsensusPeaks, consensusPeaks } from "./cell-type-elements/consensus-peaks.ts";
export { deseq2 } from "./cell-type-elements/differential.ts";
export { countReads } from "./cell-type-elements/read-counts.ts";
export {
  type CellTypeElementRow,
  readCellTypeElements,
  writeCellTypeElements,
} from "./cell-type-elements/table.ts";
export { gcMatchedWindows } from "./chromatin-activity/gc-matched-windows.ts";
export {
  type ActivityWindow,
  peakWindows,
  readActivityWindows,
  writeActivityWindows,
} from "./chromatin-activity/windows.ts";
export { readFootprints, writeFootprints } from "./motif-footprinting/footprint-file.ts";
export { buildFootprints, type FootprintLine } from "./motif-footprinting/footprints.ts";
export { openProcessed, type ProcessedData } from "./processed-data.ts";
export { buildRegulatoryElements } from "./regulatory-elements/build.ts";
export {
  type RegulatoryElementRow,
  readRegulatoryElements,
  writeRegulatoryElements,
} from "./regulatory-elements/table.ts";
export { SOURCES } from "./sources/catalogue.ts";
export { type RecordedFile, readDataRecord, recordFiles } from "./sources/data-record.ts";
export { fetchSource } from "./sources/fetch-source.ts";
export { servicesFromEnvironment } from "./sources/services.ts";
export type { Source } from "./sources/source.ts";
export { verifyData } from "./sources/verify.ts";
export { checkVariants, type VariantCheck } from "./variants/check.ts";
export type { Finding, FindingKind, FindingLevel } from "./variants/checks/finding.ts";
export { readVariants } from "./variants/read.ts";
export type { VariantRow, VariantTable } from "./variants/table.ts";
