import { rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { InputError } from "./errors.ts";
import { LEASE, type LeaseTimes, startHeartbeat, watchHeartbeat } from "./lease.ts";
import { markOfThisProcess, type ProcessMark, stateOf } from "./process.ts";
import { textIfPresent } from "./read-file.ts";
import { createFileAtomic, isStream, removeUnfinished } from "./write-file.ts";

/** Held until `release()`, or until the process ends or loses its lease. */
export interface FileLock extends AsyncDisposable {
  /** @throws {LockLost} when another process has taken the lock over */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

/** Another live process holds the lock. */
export class LockHeld extends InputError {}

/** Another process took the lock over: the heartbeat of this one was late for longer than a lease lasts. */
export class LockLost extends InputError {}

interface Holder extends ProcessMark {
  /** When it took the lock, ISO 8601. */
  readonly since: string;
}

export interface TakeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called before the heartbeat of a holder on another machine is watched, with a sentence for the user. */
  readonly onWatch?: ((text: string) => void) | undefined;
  readonly lease?: LeaseTimes;
}

const ATTEMPTS = 40;
const PAUSE_MS = 50;

/**
 * Takes the lock that a file stands for. Never waits for a live holder.
 *
 * A holder on this machine is alive or dead as the system says. Of one on another machine only its heartbeat is seen: it is
 * watched, and the lock is taken over once the lease has expired. A process that was merely cut off for so long finds out by
 * `confirm`, which it must call before it writes.
 *
 * The lock is a chain of files. `path` is the first holder's; when a holder turns out to be dead, the file
 * `path.after-NONCE` with that holder's nonce in its name is its one possible successor's. Every link is made by an
 * exclusive creation, so of several takers one wins, and nothing that another process may have made since is ever
 * deleted or renamed. Releasing removes `path` first: what is left of the chain then leads nowhere, and a late
 * taker that hangs itself onto it finds that out when it walks the chain again from `path`.
 *
 * @throws {LockHeld} when a live process holds it
 * @throws the signal's reason when it aborts while a heartbeat is watched
 */
export async function takeLock(path: string, options: TakeOptions = {}): Promise<FileLock> {
  const { lease = LEASE } = options;
  const mark = await markOfThisProcess();
  const text = `${JSON.stringify({ ...mark, since: new Date().toISOString() } satisfies Holder)}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const chain = await readChain(path);
    if (chain === "unreadable") {
      await setTimeout(PAUSE_MS);
      continue;
    }
    const last = chain.at(-1);
    if (last !== undefined) await refuseUnlessDead(path, last.holder, mark, options);
    const mine = last === undefined ? path : successor(path, last.holder);
    if (await createFileAtomic(mine, text)) {
      // After the link, and stopped before it is removed: no process killed in between leaves a heartbeat without a lock.
      const heartbeat = await startHeartbeat(beatFile(path, mark), lease).catch(async (error) => {
        await rm(mine, { force: true });
        throw error;
      });
      const now = await readChain(path);
      if (now !== "unreadable" && now.at(-1)?.holder.nonce === mark.nonce) {
        for (const { holder } of now.slice(0, -1)) await rm(beatFile(path, holder), { force: true });
        await removeUnfinished(path);
        return heldLock(path, mark, now, () => heartbeat.stop());
      }
      await heartbeat.stop();
      await rm(mine, { force: true });
    }
  }
  throw new InputError("this lock file cannot be read", {
    place: { file: path },
    hint: "if no other process of yours uses it, delete the file",
  });
}

export interface WaitOptions extends TakeOptions {
  /** Called once, when another process holds the lock. */
  readonly onWait?: ((holder: LockHeld) => void) | undefined;
  /** Milliseconds between two attempts. */
  readonly pause?: number;
}

/**
 * Takes the lock, waiting for live holders.
 *
 * @throws the signal's reason when it aborts while waiting
 */
export async function waitForLock(path: string, options: WaitOptions = {}): Promise<FileLock> {
  const { signal, onWait, pause = 1000 } = options;
  for (let waits = 0; ; waits++) {
    try {
      return await takeLock(path, options);
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (waits === 0) onWait?.(error);
    }
    signal?.throwIfAborted();
    await setTimeout(pause, undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    );
  }
}

type Chain = readonly { readonly file: string; readonly holder: Holder }[];

function heldLock(
  path: string,
  { nonce }: ProcessMark,
  chain: Chain,
  stopHeartbeat: () => Promise<void>,
): FileLock {
  let held = true;
  /** The process that holds the lock now, where it is not this one. */
  const usurper = async () => {
    const now = await readChain(path);
    if (now === "unreadable" || now.at(-1)?.holder.nonce === nonce) return undefined;
    return now.at(-1)?.holder ?? "nobody";
  };
  const release = async () => {
    // Once only, and only its own: the names may be another holder's afterwards.
    if (!held) return;
    held = false;
    await stopHeartbeat();
    const files = (await usurper()) === undefined ? chain.map(({ file }) => file) : [];
    for (const file of files) await rm(file, { force: true });
  };
  return {
    async confirm() {
      const other = await usurper();
      if (other === undefined) return;
      throw new LockLost(
        other === "nobody"
          ? "the lock of this process was removed while it was in use"
          : `process ${other.pid} on ${JSON.stringify(other.host)} took this over at ${other.since}: this process had not renewed its lease`,
        { place: { file: path }, hint: "finished rows are kept; the other process continues" },
      );
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}

/** Processes whose lease has expired under this one's eyes: their other locks need no second watch. */
const expired = new Set<string>();
const keyOf = ({ host, machine, boot, numbering, pid, began }: ProcessMark) =>
  JSON.stringify([host, machine, boot, numbering, pid, began]);

async function refuseUnlessDead(
  path: string,
  holder: Holder,
  here: ProcessMark,
  { signal, onWatch, lease = LEASE }: TakeOptions,
): Promise<void> {
  const state = await stateOf(holder, here);
  if (state === "dead") return;
  const who = `process ${holder.pid}${state === "alive" ? "" : ` on ${JSON.stringify(holder.host)}`}`;
  if (state === "unknown") {
    if (expired.has(keyOf(holder))) return;
    onWatch?.(
      `${who} took ${path} at ${holder.since}; watching its heartbeat for up to ${lease.expiry / 1000} s`,
    );
    if ((await watchHeartbeat(beatFile(path, holder), lease, signal)) === "silent") {
      expired.add(keyOf(holder));
      return;
    }
  }
  throw new LockHeld(`${who} has held this since ${holder.since}`, {
    place: { file: path },
    hint: "wait for it, or stop it and start again; another shard can be run at the same time",
  });
}

const beatFile = (path: string, { nonce }: ProcessMark) => `${path}.beat-${nonce}`;
const successor = (path: string, holder: Holder) => `${path}.after-${holder.nonce}`;

async function readChain(path: string): Promise<readonly { file: string; holder: Holder }[] | "unreadable"> {
  const chain: { file: string; holder: Holder }[] = [];
  let file = path;
  for (;;) {
    const text = await textIfPresent(file);
    if (text === undefined) return chain;
    const holder = parseHolder(text);
    // No two takers have one nonce: a chain in which one comes twice was made by hand and has no end.
    if (holder === undefined || chain.some((link) => link.holder.nonce === holder.nonce)) return "unreadable";
    chain.push({ file, holder });
    file = successor(path, holder);
  }
}

function parseHolder(text: string): Holder | undefined {
  let value: Partial<Holder> | null;
  try {
    value = JSON.parse(text);
  } catch {
    // Half written, on a file system without links: the caller looks again.
    return undefined;
  }
  const whole =
    typeof value?.nonce === "string" &&
    /^[0-9a-f]{16}$/.test(value.nonce) &&
    typeof value.host === "string" &&
    typeof value.since === "string" &&
    Number.isSafeInteger(value.pid) &&
    Number(value.pid) > 0;
  return whole
    ? {
        ...(value as Holder),
        machine: value?.machine ?? null,
        boot: value?.boot ?? null,
        numbering: value?.numbering ?? null,
        began: value?.began ?? null,
      }
    : undefined;
}

/**
 * Does work that writes a file, alone among all processes: a second one is refused. What processes that were killed while
 * they wrote the file left next to it is removed first. A pipe or a device has any number of writers.
 *
 * @param work  writes `path` by `writeFileAtomic`
 * @throws {LockHeld} when another process writes the file
 */
export async function asSoleWriter<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (await isStream(path)) return work();
  await using _ = await takeLock(`${path}.lock`);
  await removeUnfinished(path);
  return await work();
}
