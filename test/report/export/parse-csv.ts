/** Fields of a CSV text by RFC 4180, line by line: quoted fields, doubled quotes, CRLF. */
export function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let found = field.exec(text); found !== null; found = field.exec(text)) {
    line.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] === ",") continue;
    lines.push(line);
    line = [];
  }
  if (line.length > 0) throw new Error(`no CSV at line ${lines.length + 1}`);
  return lines;
}
