import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { LockHeld, LockLost, takeLock } from "../../src/base/file-lock.ts";
import { startHeartbeat } from "../../src/base/lease.ts";
import { markOfThisProcess } from "../../src/base/process.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-lock-"));
  path = join(folder, "shard.lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lockModule = fileURLToPath(new URL("../../src/base/file-lock.ts", import.meta.url));

/** Another process that takes the lock, says so, and holds it until it is killed. */
async function holderProcess() {
  const program = `
    import { takeLock } from ${JSON.stringify(lockModule)};
    await takeLock(${JSON.stringify(path)});
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

let foreigners = 0;

/** Leaves the lock to a process of another machine; returns its nonce. */
async function foreignHolder(since: string): Promise<string> {
  const mark = await markOfThisProcess();
  await writeFile(path, JSON.stringify({ ...mark, host: "node17", began: `${++foreigners}`, since }));
  return mark.nonce;
}

describe("a lock", () => {
  test("refuses a second taker, and can be taken again once released", async () => {
    const first = await takeLock(path);
    await expect(takeLock(path)).rejects.toThrow(`process ${process.pid} has held this since`);
    await first.release();
    expect(await readdir(folder)).toEqual([]);
    await (await takeLock(path)).release();
  });

  test("released a second time leaves the next holder's alone", async () => {
    const first = await takeLock(path);
    await first.release();
    const second = await takeLock(path);
    await first.release();
    await expect(takeLock(path)).rejects.toThrow("has held this");
    await second.release();
  });

  test("is refused while another process lives, and taken over when it was killed", async () => {
    const child = await holderProcess();
    const refusal = await takeLock(path).catch((error) => error);
    expect(refusal).toBeInstanceOf(InputError);
    expect(refusal.describe()).toContain(`process ${child.pid} has held this`);
    expect(refusal.describe()).toContain("other shards can run at the same time");
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = await takeLock(path);
    await expect(takeLock(path)).rejects.toThrow(`process ${process.pid} has held`);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("of another machine is refused while its heartbeat goes on", async () => {
    const nonce = await foreignHolder("2099-01-01T00:00:00Z");
    const heartbeat = await startHeartbeat(`${path}.beat-${nonce}`, { beat: 20, expiry: 400 });
    const watched: string[] = [];
    const refusal = await takeLock(path, {
      lease: { beat: 20, expiry: 5000 },
      onWatch: (text) => watched.push(text),
    }).catch((error) => error);
    await heartbeat.stop();
    expect(refusal).toBeInstanceOf(LockHeld);
    expect(refusal.describe()).toMatch(/on "node17" has held this since 2099-01-01/);
    expect(watched).toEqual([expect.stringContaining("watching its heartbeat for up to 5 s")]);
  });

  test("of another machine is taken over once its heartbeat has been silent for the lease", async () => {
    const nonce = await foreignHolder("2099-01-01T00:00:00Z");
    await writeFile(`${path}.beat-${nonce}`, "00000000 00000000\n");
    const lock = await takeLock(path, { lease: { beat: 20, expiry: 150 } });
    await lock.confirm();
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("waiting for the heartbeat of another machine can be interrupted", async () => {
    await foreignHolder("2026-01-01T00:00:00Z");
    const controller = new AbortController();
    const taking = takeLock(path, { signal: controller.signal, lease: { beat: 20, expiry: 60_000 } });
    controller.abort(new Error("stopped"));
    await expect(taking).rejects.toThrow("stopped");
  });

  test("a holder that lost its lease finds out, and its release leaves the new holder's lock alone", async () => {
    const late = await takeLock(path);
    // Seen from another machine: the same holder, of which only the heartbeat is visible.
    const holder = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...holder, host: "node18" }));
    const next = await takeLock(path, { lease: { beat: 20, expiry: 150 } });
    const lost = await late.confirm().catch((error) => error);
    expect(lost).toBeInstanceOf(LockLost);
    expect(lost.describe()).toContain(`process ${process.pid} on`);
    await late.release();
    await next.confirm();
    await next.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("a lock that was deleted by hand is lost", async () => {
    const lock = await takeLock(path);
    await rm(path);
    await expect(lock.confirm()).rejects.toThrow("was removed while it was in use");
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("of a process whose number was given to another one since is taken over", async () => {
    const mark = await markOfThisProcess();
    if (mark.began === null) return expect(mark.boot).toBeNull(); // a system without /proc
    await writeFile(
      path,
      JSON.stringify({ ...mark, nonce: "0".repeat(16), began: "1", since: "2026-01-01T00:00:00Z" }),
    );
    await (await takeLock(path)).release();
  });

  test("whose chain leads back to itself is an error, not a walk without end", async () => {
    const dead = { ...(await markOfThisProcess()), pid: 2 ** 22 + 1, since: "2026-01-01T00:00:00Z" };
    const text = JSON.stringify({ ...dead, nonce: "a".repeat(16) });
    await writeFile(path, text);
    await writeFile(`${path}.after-${"a".repeat(16)}`, text);
    await expect(takeLock(path)).rejects.toThrow("this lock file cannot be read");
  });

  test("whose nonce cannot be made text is an error that names the file", async () => {
    await writeFile(path, '{"nonce":{"toString":1}}');
    await expect(takeLock(path)).rejects.toThrow("this lock file cannot be read");
  });

  test("that cannot be read is an error that names the file", async () => {
    await writeFile(path, "");
    await expect(takeLock(path)).rejects.toThrow("this lock file cannot be read");
    expect(await readFile(path, "utf8")).toBe("");
  });
});

test("of many takers of a dead process's lock exactly one wins, each time", async () => {
  const mark = await markOfThisProcess();
  const dead = { ...mark, pid: 2 ** 22 + 1, since: "2026-01-01T00:00:00Z" };
  for (let round = 0; round < 20; round++) {
    const nonce = round.toString(16).padStart(16, "0");
    await writeFile(path, JSON.stringify({ ...dead, nonce }));
    // A second dead process that had taken over from the first.
    await writeFile(`${path}.after-${nonce}`, JSON.stringify({ ...dead, nonce: `f${nonce.slice(1)}` }));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(path)));
    const won = takers.filter((taker) => taker.status === "fulfilled");
    expect(won).toHaveLength(1);
    await won[0].value.release();
    expect(await readdir(folder)).toEqual([]);
  }
});

test("takers that come and go never hold the lock two at a time", async () => {
  let holders = 0;
  let held = 0;
  const worker = async () => {
    for (let i = 0; i < 25; i++) {
      const lock = await takeLock(path).catch(() => undefined);
      if (lock === undefined) continue;
      expect(++holders).toBe(1);
      held++;
      await new Promise((done) => setImmediate(done));
      holders--;
      await lock.release();
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  expect(held).toBeGreaterThan(3);
});
