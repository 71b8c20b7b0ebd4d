/** A number of things in words: `1 row`, `12,034 rows`, `0 entries`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}
