/** A stranger's text for a message: in quotes, control characters escaped, and cut where it is long. */
export function quotedText(text: string, most = 60): string {
  return text.length > most ? `${JSON.stringify(text.slice(0, most))}…` : JSON.stringify(text);
}

/** A stranger's value for a message, as JSON and cut where it is long; `absent` where there is none. */
export function shownValue(value: unknown, most = 120): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** A number of things in words: `1 row`, `12,034 rows`, `0 entries`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}
