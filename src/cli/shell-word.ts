const PLAIN = /^[\p{L}\p{N}_./:=@%+,~-]+$/u;
const PLAIN_ON_WINDOWS = /^[\p{L}\p{N}_./\\:=@+,~-]+$/u;

/**
 * A word as a person types it into a shell: unchanged where it has none of the shell's own characters, else in quotes. Single
 * quotes for POSIX shells; double quotes on Windows, which cmd and PowerShell both take and no file name contains.
 */
export function shellWord(text: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return PLAIN_ON_WINDOWS.test(text) ? text : `"${text}"`;
  if (PLAIN.test(text) && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
