import { rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { createFileWhole } from "./create-file.ts";
import { InputError } from "./errors.ts";

import { textIfPresent } from "./text-file.ts";
import { markOfThisProcess, type ProcessMark, stateOf } from "./this-process.ts";

/** Held until `release()`, or until the process ends. */
export interface FileLock extends AsyncDisposable {
  release(): Promise<void>;
}

/** Somebody else has the lock: another live process, or one of which it cannot be seen from here whether it still runs. */
export class LockHeld extends InputError {
  /** Whether the holder was seen to run; false where nothing can be seen of it from here. */
  readonly alive: boolean;
  constructor(alive: boolean, message: string, details: ConstructorParameters<typeof InputError>[1]) {
    super(message, details);
    this.alive = alive;
  }
}

interface Holder extends ProcessMark {
  /** When it took the lock, ISO 8601. */
  readonly since: string;
}

const ATTEMPTS = 40;
const PAUSE_MS = 50;

/**
 * Takes the lock that a file stands for, or says who holds it. Never waits for a holder.
 *
 * The lock is a chain of files. `path` is the first holder's; when a holder turns out to be dead, the file
 * `path.after-NONCE` with that holder's nonce in its name is its one possible successor's. Every link is made by an
 * exclusive creation, so of several takers one wins, and nothing that another process may have made since is ever
 * deleted or renamed. Releasing removes `path` first: what is left of the chain then leads nowhere, and a late
 * taker that hangs itself onto it finds that out when it walks the chain again from `path`.
 *
 * @throws {LockHeld} when a live process holds it, or one of another machine or container, of which nothing can be seen
 *   from here
 */
export async function takeLock(path: string): Promise<FileLock> {
  const mark = await markOfThisProcess();
  const text = `${JSON.stringify({ ...mark, since: new Date().toISOString() } satisfies Holder)}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const chain = await readChain(path);
    if (chain === "unreadable") {
      await setTimeout(PAUSE_MS);
      continue;
    }
    const last = chain.at(-1);
    if (last !== undefined) await refuseUnlessDead(path, last.holder, mark);
    const mine = last === undefined ? path : successor(path, last.holder);
    if (!(await createFileWhole(mine, text))) continue;
    const now = await readChain(path);
    if (now !== "unreadable" && now.at(-1)?.holder.nonce === mark.nonce) {
      return heldLock(now.map(({ file }) => file));
    }
    await rm(mine, { force: true });
  }
  throw new InputError("this lock file cannot be read", {
    place: { file: path },
    hint: "if no other process of yours is at work on this, delete the file",
  });
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told once, when somebody else has the lock. */
  readonly onWait?: ((holder: LockHeld) => void) | undefined;
  /** Milliseconds between two looks at it. */
  readonly pause?: number;
}

/**
 * Takes the lock, waiting for a holder that lives.
 *
 * @throws {LockHeld} when of its holder nothing can be seen from here: the wait might never end
 * @throws the signal's reason when it aborts while waiting
 */
export async function waitForLock(
  path: string,
  { signal, onWait, pause = 1000 }: WaitOptions = {},
): Promise<FileLock> {
  for (let waits = 0; ; waits++) {
    try {
      return await takeLock(path);
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (!error.alive) {
        const hint = "if you are certain that that process has ended, delete this file";
        throw new LockHeld(false, error.message, { place: error.place, hint, cause: error });
      }
      if (waits === 0) onWait?.(error);
    }
    signal?.throwIfAborted();
    await setTimeout(pause, undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    );
  }
}

function heldLock(files: readonly string[]): FileLock {
  let held = true;
  const release = async () => {
    // Once only: the names may be somebody else's afterwards.
    if (!held) return;
    held = false;
    for (const file of files) await rm(file, { force: true });
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function refuseUnlessDead(path: string, holder: Holder, here: ProcessMark) {
  const state = await stateOf(holder, here);
  if (state === "dead") return;
  throw new LockHeld(
    state === "alive",
    state === "alive"
      ? `process ${holder.pid} has been at work on this since ${holder.since}`
      : `process ${holder.pid} on ${JSON.stringify(holder.host)} took this at ${holder.since}, and it cannot be seen from here whether it still runs`,
    {
      place: { file: path },
      hint:
        state === "alive"
          ? "wait for it, or stop it and start again; another shard can be run at the same time"
          : "take another shard; if you are certain that that process has ended, delete this file",
    },
  );
}

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
