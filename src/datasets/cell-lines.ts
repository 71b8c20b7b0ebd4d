/** The five cell lines of DART-Eval's tasks 3 and 4. The index in this list is the class index. */
export const CELL_LINES = ["GM12878", "H1ESC", "HEPG2", "IMR90", "K562"] as const;

export type CellLine = (typeof CELL_LINES)[number];
