import { readFile, writeFile } from "node:fs/promises";

/**
 * Starts anew to watch how much memory this process holds at most. Only Linux can; elsewhere the peak is that of the
 * process's whole life.
 */
export async function watchPeakMemory(): Promise<void> {
  await writeFile("/proc/self/clear_refs", "5").catch(() => {});
}

/** Bytes that this process held at most since, mapped files included as far as they were read. */
export async function peakMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return 1024 * (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes));
}
