/** Untrusted text for a message: quoted, control characters escaped, truncated to `most` characters. */
export function quotedText(text: string, most = 60): string {
  return text.length > most ? `${JSON.stringify(text.slice(0, most))}…` : JSON.stringify(text);
}

/** Untrusted value for a message: JSON truncated to `most` characters, or `absent` if undefined. */
export function shownValue(value: unknown, most = 120): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Count with its noun: `1 row`, `12,034 rows`, `0 entries`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}
