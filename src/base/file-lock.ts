import { rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { errorCode, fileError, InputError } from "./errors.ts";
import { namesInFolder } from "./folder.ts";
import { isObject, tryParseJson } from "./json.ts";
import { LEASE, type LeaseTimes, startHeartbeat, watchHeartbeat } from "./lease.ts";
import { markIn, markOfThisProcess, type ProcessMark, stateOf } from "./process.ts";
import { textIfPresent } from "./read-file.ts";
import { createFileAtomic, diskTime, isStream, removeTemporaryFiles } from "./write-file.ts";

/** A lock held by this process until `release()`, the end of the process, or the loss of its lease. */
export interface FileLock extends AsyncDisposable {
  /** @throws {LockLost} when another process has taken over the lock */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

/** Another live process holds the lock. */
export class LockHeld extends InputError {}

/**
 * Another process took over the lock, because the heartbeat of this one stopped for longer than the lease.
 */
export class LockLost extends InputError {}

interface Holder extends ProcessMark {
  /** Time of acquisition, ISO 8601. */
  readonly since: string;
}

/** Holder of a lock, as another process sees it. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** Time of acquisition, ISO 8601. */
  readonly since: string;
  /** "silent": on another machine, without a heartbeat for longer than the lease. */
  readonly state: "alive" | "dead" | "silent";
}

/**
 * Examines a lock file without taking it; undefined if no process holds it.
 *
 * @param now  time by the clock that dates the heartbeats, see `diskTime`
 */
export async function lockHolder(
  path: string,
  now: () => Promise<number> = () => diskTime(path),
): Promise<LockHolder | undefined> {
  const chain = await readChain(path);
  const last = chain === "unreadable" ? undefined : chain.at(-1)?.holder;
  if (last === undefined) return undefined;
  const { host, pid, since } = last;
  const found = await stateOf(last, await markOfThisProcess());
  if (found !== "unknown") return { host, pid, since, state: found };
  const beaten = await stat(beatFile(path, last)).catch(() => undefined);
  const silent = beaten === undefined || (await now()) - beaten.mtimeMs > LEASE.expiry;
  return { host, pid, since, state: silent ? "silent" : "alive" };
}

export interface TakeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with a message for the user before watching the heartbeat of a holder on another machine. */
  readonly onWatch?: ((text: string) => void) | undefined;
  readonly lease?: LeaseTimes;
  /** Protected file or folder, which errors of the disk name. Default: the folder of the lock. */
  readonly protects?: string | undefined;
}

const ATTEMPTS = 40;
const PAUSE_MS = 50;

/**
 * Acquires the lock file `path`. Does not wait for a live holder.
 *
 * The operating system reports whether a holder on this machine is alive. For a holder on another machine the
 * lock depends on its heartbeat: when that stays silent for the lease, this process takes over the lock. A
 * holder that was only disconnected learns this from `confirm`, which it must call before each write.
 *
 * The lock is a chain of files. The first holder owns `path`. The successor of a dead holder owns
 * `path.after-NONCE`, with the dead holder's nonce. Each link is created exclusively, so one of several
 * contenders wins, and no process deletes or renames a link that another may own. Releasing removes
 * `path` first, which detaches the rest of the chain. A late contender that extends a detached chain notices
 * when it walks the chain again from `path`.
 *
 * @throws {LockHeld} when a live process holds the lock
 * @throws {InputError} naming what the lock protects when the disk is full or not writable
 * @throws the signal's reason when it aborts during the watch
 */
export async function takeLock(path: string, options: TakeOptions = {}): Promise<FileLock> {
  try {
    return await takeLockFile(path, options);
  } catch (error) {
    const isOfDisk = error instanceof InputError && errorCode(error.cause) !== "";
    throw isOfDisk ? fileError(options.protects ?? dirname(path), error.cause) : error;
  }
}

async function takeLockFile(path: string, options: TakeOptions): Promise<FileLock> {
  const { lease = LEASE } = options;
  const mark = await markOfThisProcess();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const chain = await readChain(path);
    if (chain === "unreadable") {
      await setTimeout(PAUSE_MS);
      continue;
    }
    const last = chain.at(-1);
    if (last !== undefined) await refuseUnlessDead(path, last.holder, mark, options);
    const mine = last === undefined ? path : successor(path, last.holder);
    const holder: Holder = { ...mark, since: new Date().toISOString() };
    if (await createFileAtomic(mine, `${JSON.stringify(holder)}\n`)) {
      // A heartbeat exists only while its link does, so a process killed in between leaves no heartbeat
      // without a lock.
      const heartbeat = await startHeartbeat(beatFile(path, mark), lease).catch(async (error) => {
        await rm(mine, { force: true });
        throw error;
      });
      const now = await readChain(path);
      if (now !== "unreadable" && now.at(-1)?.holder.nonce === mark.nonce) {
        for (const { holder } of now.slice(0, -1)) await rm(beatFile(path, holder), { force: true });
        await removeTemporaryFiles(path);
        await removeDetachedLinks(path, now, mark);
        return heldLock(path, mark, now, () => heartbeat.stop());
      }
      await heartbeat.stop();
      await rm(mine, { force: true });
    }
  }
  throw new InputError("this lock file cannot be read", {
    place: { file: path },
    hint: "if no other process uses it, delete the file",
  });
}

/** Removes links of detached chains, left by a process that was killed while it released the lock. */
async function removeDetachedLinks(path: string, chain: Chain, mark: ProcessMark): Promise<void> {
  const folder = dirname(path);
  // A process that finds the lease of this one expired creates the successor.
  const kept = new Set(
    [...chain.map(({ file }) => file), successor(path, mark)].map((file) => basename(file)),
  );
  const prefix = `${basename(path)}.after-`;
  for (const name of await namesInFolder(folder)) {
    const isLink = name.startsWith(prefix) && /\.after-[0-9a-f]{16}$/.test(name);
    if (isLink && !kept.has(name)) await rm(join(folder, name), { force: true });
  }
}

/** Removes the lock file `path` if its holder was a process of this machine that has ended. */
export async function clearDeadLock(path: string): Promise<void> {
  const chain = await readChain(path);
  const last = chain === "unreadable" ? undefined : chain.at(-1);
  if (last === undefined || (await stateOf(last.holder, await markOfThisProcess())) !== "dead") return;
  try {
    await (await takeLock(path)).release();
  } catch (error) {
    // Another process took it over in the meantime.
    if (!(error instanceof LockHeld)) throw error;
  }
}

export interface WaitOptions extends TakeOptions {
  /** Called once if another process holds the lock. */
  readonly onWait?: ((holder: LockHeld) => void) | undefined;
  /** Milliseconds between two attempts. */
  readonly pause?: number;
}

/**
 * Acquires the lock file `path`; waits while a live process holds it.
 *
 * @throws the signal's reason when it aborts during the wait
 */
export async function waitForLock(path: string, options: WaitOptions = {}): Promise<FileLock> {
  const { signal, onWait, onWatch, pause = 1000, ...rest } = options;
  for (let waits = 0; ; waits++) {
    try {
      return await takeLock(path, { ...rest, signal, ...(waits === 0 ? { onWatch } : {}) });
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
  mark: ProcessMark,
  chain: Chain,
  stopHeartbeat: () => Promise<void>,
): FileLock {
  let held = true;
  /** Reason why this process does not hold the lock any more; undefined if it does. */
  const loss = async () => {
    const now = await readChain(path);
    const last = now === "unreadable" ? undefined : now.at(-1);
    if (now !== "unreadable" && last?.holder.nonce !== mark.nonce) {
      if (last === undefined) return "the lock of this process was removed while it was in use";
      const { pid, host, since } = last.holder;
      return `process ${pid} on ${JSON.stringify(host)} took over the lock at ${since}: the lease of this process had expired`;
    }
    // A network disk may report for minutes that a new file, such as a successor, does not exist. It notices
    // that a file was removed when the file is opened: a successor removes the heartbeat.
    if ((await textIfPresent(beatFile(path, mark))) !== undefined) return undefined;
    return "another process took over the lock: the lease of this process had expired";
  };
  const release = async () => {
    // Afterwards the same names may belong to another holder.
    if (!held) return;
    held = false;
    const files = (await loss()) === undefined ? chain.map(({ file }) => file) : [];
    await stopHeartbeat();
    for (const file of files) await rm(file, { force: true });
  };
  return {
    async confirm() {
      const reason = await loss();
      if (reason === undefined) return;
      const hint = "finished rows are kept; the other process continues";
      throw new LockLost(reason, { place: { file: path }, hint });
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}

/** Processes whose lease expired during a watch: their other locks need no second watch. */
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
  throw new LockHeld(`${who} has held this lock since ${holder.since}`, {
    place: { file: path },
    hint: "wait for it, or stop it and try again; other shards can run at the same time",
  });
}

const beatFile = (path: string, { nonce }: ProcessMark) => `${path}.beat-${nonce}`;
const successor = (path: string, holder: ProcessMark) => `${path}.after-${holder.nonce}`;

async function readChain(path: string): Promise<readonly { file: string; holder: Holder }[] | "unreadable"> {
  const chain: { file: string; holder: Holder }[] = [];
  let file = path;
  for (;;) {
    const text = await textIfPresent(file);
    if (text === undefined) return chain;
    const holder = parseHolder(text);
    // Nonces are unique: a repeated one is a hand-made chain without end.
    if (holder === undefined || chain.some((link) => link.holder.nonce === holder.nonce)) return "unreadable";
    chain.push({ file, holder });
    file = successor(path, holder);
  }
}

function parseHolder(text: string): Holder | undefined {
  // Not JSON while another process writes it on a file system without hard links: the caller reads it again.
  const value = tryParseJson(text);
  const mark = markIn(value);
  if (mark === undefined || !isObject(value) || typeof value.since !== "string") return undefined;
  return /^[0-9a-f]{16}$/.test(mark.nonce) && mark.pid > 0 ? { ...mark, since: value.since } : undefined;
}

/**
 * Runs `work` as the only process that writes `path`, after removing temporary files of killed writers. Pipes
 * and devices are not locked.
 *
 * @param work  writes `path` with `writeFileAtomic`
 * @throws {LockHeld} when another process is writing the file
 */
export async function asSoleWriter<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (await isStream(path)) return work();
  await using _ = await takeLock(`${path}.lock`, { protects: path });
  await removeTemporaryFiles(path);
  return await work();
}
