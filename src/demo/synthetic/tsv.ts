/** Tab-separated lines; True and False as Python writes them. */
export function tsv(rows: Iterable<readonly (string | number | boolean)[]>): string {
  let text = "";
  for (const row of rows) {
    const cells = row.map((cell) => (typeof cell === "boolean" ? (cell ? "True" : "False") : String(cell)));
    text += `${cells.join("\t")}\n`;
  }
  return text;
}
