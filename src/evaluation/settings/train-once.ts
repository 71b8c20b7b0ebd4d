import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LockHeld, takeLock } from "../../base/file-lock.ts";
import { readTrainingRecord, type TrainingRecord, writeTrainingRecord } from "./training-record.ts";

export interface TrainOnceOptions {
  readonly signal: AbortSignal | undefined;
  /** Told once when another process is at work on it. */
  readonly onWait: (why: string) => void;
  /** Milliseconds between two looks at it. */
  readonly pause?: number;
}

/**
 * Trains into a folder unless that is done: of several processes that answer shards of one cell, one trains and the others
 * wait for it. When the one that trains is killed, another goes on from its last state.
 *
 * @param train  what it takes; its record is written when it is through
 * @throws the signal's reason when it aborts while waiting
 */
export async function trainOnce(
  folder: string,
  train: () => Promise<TrainingRecord>,
  { signal, onWait, pause = 3000 }: TrainOnceOptions,
): Promise<TrainingRecord> {
  for (let waits = 0; ; waits++) {
    const done = await readTrainingRecord(folder);
    if (done !== undefined) return done;
    try {
      await using _lock = await takeLock(join(folder, "training.lock"), { signal, onWatch: onWait });
      // Another process may have ended just before.
      const record = (await readTrainingRecord(folder)) ?? (await train());
      await writeTrainingRecord(folder, record);
      return record;
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (waits === 0) onWait(error.describe());
    }
    signal?.throwIfAborted();
    await setTimeout(pause, undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    );
  }
}
