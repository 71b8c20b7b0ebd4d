/** A word as it is typed into a shell: as it stands where it has none of a shell's own characters, else in single quotes. */
export function shellWord(text: string): string {
  if (/^[\p{L}\p{N}_./:=@%+,~-]+$/u.test(text) && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
