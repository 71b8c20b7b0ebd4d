import { mergeRun } from "../evaluation/runs/merge.ts";
import type { Context } from "./command.ts";
import { showRun } from "./run-progress.ts";

/**
 * Merges a run's folder, and shows how far it is where measuring takes long.
 * @throws as `mergeRun`, the signal's reason when the user stopped it
 */
export async function mergeShown(folder: string, context: Context): Promise<void> {
  const { terminal, signal } = context;
  context.resume = "Everything finished is kept; the same command goes on from there.";
  const { onProgress, stop } = showRun(terminal);
  try {
    await mergeRun(folder, { onProgress, signal });
  } finally {
    stop();
  }
}
