import type { FieldTable, FieldValue } from "./field-table.ts";

/** Rows per piece of text. */
const PIECE_ROWS = 2048;

/**
 * CSV of a table (RFC 4180, with a header line and CRLF). A missing value is an empty field, and an empty
 * text is `""`. Numbers are the shortest decimals that give the same float64; a vector is a JSON array.
 */
export async function* csvText(table: FieldTable): AsyncGenerator<string> {
  yield `${table.fields.map(({ name }) => textField(name)).join(",")}\r\n`;
  for await (const { length, columns } of table.blocks()) {
    for (let start = 0; start < length; start += PIECE_ROWS) {
      const end = Math.min(length, start + PIECE_ROWS);
      let text = "";
      for (let i = start; i < end; i++) {
        for (let c = 0; c < columns.length; c++) {
          if (c > 0) text += ",";
          text += csvField(columns[c][i]);
        }
        text += "\r\n";
      }
      yield text;
    }
  }
}

function csvField(value: FieldValue): string {
  if (value === null) return "";
  if (typeof value === "string") return textField(value);
  if (typeof value === "number") return numberText(value);
  return `"[${Array.from(value, numberText).join(",")}]"`;
}

/** The sign of -0 is kept, which `String` drops. */
const numberText = (value: number) => (Object.is(value, -0) ? "-0" : String(value));

const textField = (text: string) =>
  text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
