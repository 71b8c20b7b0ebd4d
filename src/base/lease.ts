import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { textIfPresent } from "./read-file.ts";
import { createFileAtomic } from "./write-file.ts";

/** Milliseconds. */
export interface LeaseTimes {
  /** Between two heartbeats of a holder. */
  readonly beat: number;
  /** A holder whose heartbeat stays the same for so long, by the watcher's clock, has lost its lease. */
  readonly expiry: number;
}

/** Eight missed heartbeats: longer than any pause of a healthy process or of a network disk. */
export const LEASE: LeaseTimes = { beat: 15_000, expiry: 120_000 };

/** Renews a lease until it is stopped, or until the process ends. */
export interface Heartbeat {
  /** Stops, and removes the file. */
  stop(): Promise<void>;
}

/**
 * Renews a lease by writing another content into a file at a steady pace. Content and not time: clocks of machines that
 * share a disk differ. A file that has been removed is not made again, so that a process that lost its lease leaves nothing.
 *
 * @throws {InputError} when the file cannot be written at first; a later failure counts as a missed heartbeat
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

/** Always of one length, so that overwriting leaves no rest. */
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
 * Watches the heartbeat of a process of which nothing else can be seen.
 *
 * @returns "beating" as soon as the content changes; "silent" when it stayed the same, or was absent, until the lease expired
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
