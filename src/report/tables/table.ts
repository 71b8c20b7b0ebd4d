/** A cell's text, or a text with a second, quieter one: an estimate and its interval. */
export type Cell = string | { readonly text: string; readonly detail: string };

export interface Column {
  readonly heading: string;
  /** Words are aligned left, numbers right. */
  readonly align: "left" | "right";
}

/** A table as data; the writers beside this file turn it into text, Markdown, LaTeX or HTML. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** One cell per column; the first cell names the row. */
  readonly rows: readonly (readonly Cell[])[];
  /** What a reader must know to read it: one sentence each, below the table. */
  readonly notes?: readonly string[];
}

/** Both texts of a cell in one, the quieter one after a space. */
export function cellText(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.detail === "" ? cell.text : `${cell.text} ${cell.detail}`;
}
