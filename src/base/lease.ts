import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { textIfPresent } from "./read-file.ts";
import { createFileAtomic } from "./write-file.ts";

/** Lease durations in milliseconds. */
export interface LeaseTimes {
  /** Interval between heartbeats. */
  readonly beat: number;
  /** A holder whose heartbeat does not change for this long, by the watcher's clock, has lost its lease. */
  readonly expiry: number;
}

/** Expiry after eight missed heartbeats, longer than any pause of a healthy process or network disk. */
export const LEASE: LeaseTimes = { beat: 15_000, expiry: 120_000 };

/** Renews a lease until `stop()` or the end of the process. */
export interface Heartbeat {
  /** Stops and removes the file. */
  stop(): Promise<void>;
}

/**
 * Renews a lease by changing the contents of a file at a fixed interval. Contents rather than timestamps,
 * because the clocks of machines that share a disk differ. A removed file is not created again, so a process
 * that has lost its lease leaves no file.
 *
 * @throws {InputError} when the first write fails; a later failure counts as a missed heartbeat
 */
export async function startHeartbeat(file: string, { beat }: LeaseTimes): Promise<Heartbeat> {
  await createFileAtomic(file, contentOf(0));
  let count = 0;
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(() => overwrite(file, contentOf(++count))).catch(() => {});
  }, beat);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await writing;
      await rm(file, { force: true });
    },
  };
}

/** Fixed length, so overwriting leaves no remainder. */
const contentOf = (count: number) =>
  `${count.toString(16).padStart(8, "0")} ${randomBytes(4).toString("hex")}\n`;

async function overwrite(file: string, text: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.write(text, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Watches the heartbeat of a process on another machine.
 *
 * @returns "beating" as soon as the contents change; "silent" if they do not change, or the file is missing,
 *   until the lease expires
 * @throws the signal's reason
 */
export async function watchHeartbeat(
  file: string,
  { beat, expiry }: LeaseTimes,
  signal?: AbortSignal,
): Promise<"beating" | "silent"> {
  const first = await textIfPresent(file);
  const until = performance.now() + expiry;
  while (performance.now() < until) {
    await sleep(Math.min(beat / 4, 1000), undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    );
    const now = await textIfPresent(file);
    if (now !== undefined && now !== first) return "beating";
  }
  return "silent";
}
