import { readFile } from "node:fs/promises";

/**
 * Bytes that this process holds and that no file could give back: heaps, buffers, what native libraries allocated. Pages of files
 * that it has mapped are left out where the system tells them apart (Linux), since it can take them back at any time.
 */
export async function heldMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
  return kibibytes === undefined ? process.memoryUsage.rss() : Number(kibibytes) * 1024;
}
