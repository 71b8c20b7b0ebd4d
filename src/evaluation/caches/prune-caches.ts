import { removeUnlessUsed } from "../../base/in-use.ts";
import { removeFile } from "../../base/write-file.ts";
import type { CacheEntry } from "./cache-entries.ts";

export interface PrunedEntry {
  readonly entry: CacheEntry;
  /** Why it stays; undefined where it was, or would be, removed. */
  readonly kept?: "in use" | "used lately" | "unknown";
}

const DAY = 86_400_000;

/**
 * Removes what was not used for some days, never what a process uses, and nothing that this program did not make.
 *
 * @param days  0 for everything that is not in use
 * @param dry   says what would be removed, and removes nothing
 */
export async function pruneCaches(
  entries: readonly CacheEntry[],
  {
    days,
    dry = false,
    now = new Date(),
  }: { readonly days: number; readonly dry?: boolean; readonly now?: Date },
): Promise<readonly PrunedEntry[]> {
  const pruned: PrunedEntry[] = [];
  for (const entry of entries) {
    const kept = reasonToKeep(entry, days, now);
    if (kept !== undefined) pruned.push({ entry, kept });
    else if (dry) pruned.push({ entry });
    else {
      const removed = await removeUnlessUsed(entry.path);
      // A copy of weights has its digest beside it.
      if (removed && entry.kind === "weights") await removeFile(`${entry.path}.sha256`);
      pruned.push(removed ? { entry } : { entry, kept: "in use" });
    }
  }
  return pruned;
}

function reasonToKeep({ kind, users, lastUsed }: CacheEntry, days: number, now: Date): PrunedEntry["kept"] {
  if (kind === "unknown") return "unknown";
  if (users.length > 0) return "in use";
  if (kind === "left over") return undefined;
  return now.getTime() - lastUsed.getTime() < days * DAY ? "used lately" : undefined;
}
