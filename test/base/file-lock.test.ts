import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { asSoleWriter, clearDeadLock, LockHeld, LockLost, takeLock } from "../../src/base/file-lock.ts";
import { startHeartbeat } from "../../src/base/lease.ts";
import { markOfThisProcess } from "../../src/base/process.ts";
import { writeFileAtomic } from "../../src/base/write-file.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, "shard.lock");
});

const lockModule = compiled("src/base/file-lock.ts");

/** Starts another process that acquires the lock, reports it, and holds it until it is killed. */
async function holderProcess() {
  const program = `
    import { takeLock } from ${JSON.stringify(lockModule)};
    await takeLock(${JSON.stringify(path)});
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("an error of the disk names what is written, not the lock file", async () => {
  writeFileSync(path, "");
  const below = join(path, "report.html");
  const written = await asSoleWriter(below, async () => "written").catch((error: InputError) => error);
  expect(written).toMatchObject({ place: { file: below }, message: expect.stringContaining("is a file") });
  const taken = await takeLock(join(path, "shard.lock")).catch((error: InputError) => error);
  expect(taken).toMatchObject({ place: { file: path } });
});

let foreigners = 0;

/** Creates a lock of a process on another machine; returns its nonce. */
async function foreignHolder(since: string): Promise<string> {
  const mark = await markOfThisProcess();
  await writeFile(path, JSON.stringify({ ...mark, host: "node17", began: `${++foreigners}`, since }));
  return mark.nonce;
}

describe("a lock", () => {
  test("refuses a second holder until it is released", async () => {
    const first = await takeLock(path);
    await expect(takeLock(path)).rejects.toThrow(`process ${process.pid} has held this lock since`);
    await first.release();
    expect(await readdir(folder)).toEqual([]);
    await (await takeLock(path)).release();
  });

  test("of a killed process is cleared, that of a live one or of another machine stays", async () => {
    await clearDeadLock(path);
    const child = await holderProcess();
    await clearDeadLock(path);
    await expect(takeLock(path)).rejects.toThrow(LockHeld);
    child.kill("SIGKILL");
    await once(child, "close");
    await clearDeadLock(path);
    expect(await readdir(folder)).toEqual([]);
    await foreignHolder("2026-01-01T00:00:00.000Z");
    await clearDeadLock(path);
    expect(await readdir(folder)).toEqual(["shard.lock"]);
  });

  test("removes the links left by a process killed during release", async () => {
    await foreignHolder("2026-01-01T00:00:00.000Z");
    await rename(path, `${path}.after-0123456789abcdef`);
    const lock = await takeLock(path);
    await lock.confirm();
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("a second release does not release the next holder's lock", async () => {
    const first = await takeLock(path);
    await first.release();
    const second = await takeLock(path);
    await first.release();
    await expect(takeLock(path)).rejects.toThrow("has held this lock");
    await second.release();
  });

  test("is refused while its holder is alive and taken over after it is killed", async () => {
    const child = await holderProcess();
    const refusal = await takeLock(path).catch((error) => error);
    expect(refusal).toBeInstanceOf(InputError);
    expect(refusal.describe()).toContain(`process ${child.pid} has held this lock`);
    expect(refusal.describe()).toContain("other shards can run at the same time");
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = await takeLock(path);
    await expect(takeLock(path)).rejects.toThrow(`process ${process.pid} has held`);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("of another machine is refused while its heartbeat changes", async () => {
    const nonce = await foreignHolder("2099-01-01T00:00:00Z");
    const heartbeat = await startHeartbeat(`${path}.beat-${nonce}`, { beat: 20, expiry: 400 });
    const watched: string[] = [];
    const refusal = await takeLock(path, {
      lease: { beat: 20, expiry: 5000 },
      onWatch: (text) => watched.push(text),
    }).catch((error) => error);
    await heartbeat.stop();
    expect(refusal).toBeInstanceOf(LockHeld);
    expect(refusal.describe()).toMatch(/on "node17" has held this lock since 2099-01-01/);
    expect(watched).toEqual([expect.stringContaining("watching its heartbeat for up to 5 s")]);
  });

  test("of another machine is taken over after a lease without heartbeat", async () => {
    const nonce = await foreignHolder("2099-01-01T00:00:00Z");
    await writeFile(`${path}.beat-${nonce}`, "00000000 00000000\n");
    const lock = await takeLock(path, { lease: { beat: 20, expiry: 150 } });
    await lock.confirm();
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("a signal interrupts the watch of a heartbeat", async () => {
    await foreignHolder("2026-01-01T00:00:00Z");
    const controller = new AbortController();
    const taking = takeLock(path, { signal: controller.signal, lease: { beat: 20, expiry: 60_000 } });
    controller.abort(new Error("stopped"));
    await expect(taking).rejects.toThrow("stopped");
  });

  test("a holder that lost its lease fails to confirm, and its release keeps the new holder's lock", async () => {
    const late = await takeLock(path);
    // As seen from another machine: only the heartbeat of the holder is visible.
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

  test("is lost without its heartbeat, where a network disk still hides the successor's file", async () => {
    const late = await takeLock(path);
    const [beat] = (await readdir(folder)).filter((name) => name.includes(".beat-"));
    await rm(join(folder, beat));
    const lost = await late.confirm().catch((error) => error);
    expect(lost).toBeInstanceOf(LockLost);
    expect(lost.describe()).toContain("another process took over the lock");
    await late.release();
    expect(await readdir(folder)).toEqual(["shard.lock"]);
  });

  test("a deleted lock is lost", async () => {
    const lock = await takeLock(path);
    await rm(path);
    await expect(lock.confirm()).rejects.toThrow("was removed while it was in use");
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("of a process whose id was reused is taken over", async () => {
    const mark = await markOfThisProcess();
    if (mark.began === null) return expect(mark.boot).toBeNull(); // a system without /proc
    await writeFile(
      path,
      JSON.stringify({ ...mark, nonce: "0".repeat(16), began: "1", since: "2026-01-01T00:00:00Z" }),
    );
    await (await takeLock(path)).release();
  });

  test("that is empty, has an invalid nonce or a cyclic chain is an error that names the file", async () => {
    const dead = { ...(await markOfThisProcess()), pid: 2 ** 22 + 1, since: "2026-01-01T00:00:00Z" };
    const cyclic = JSON.stringify({ ...dead, nonce: "a".repeat(16) });
    await writeFile(`${join(folder, "cyclic.lock")}.after-${"a".repeat(16)}`, cyclic);
    const texts = { empty: "", nonce: '{"nonce":{"toString":1}}', cyclic };
    // Each waits for two seconds for a writer to finish the file.
    await Promise.all(
      Object.entries(texts).map(async ([name, text]) => {
        const file = join(folder, `${name}.lock`);
        await writeFile(file, text);
        const error = await takeLock(file).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ message: expect.stringContaining("this lock file cannot be read") });
        expect(error).toMatchObject({ place: { file } });
        expect(await readFile(file, "utf8")).toBe(text);
      }),
    );
  });
});

test("exactly one of many contenders takes over the lock of a dead process", async () => {
  const mark = await markOfThisProcess();
  const dead = { ...mark, pid: 2 ** 22 + 1, since: "2026-01-01T00:00:00Z" };
  for (let round = 0; round < 20; round++) {
    const nonce = round.toString(16).padStart(16, "0");
    await writeFile(path, JSON.stringify({ ...dead, nonce }));
    // A second dead process that had taken over the lock.
    await writeFile(`${path}.after-${nonce}`, JSON.stringify({ ...dead, nonce: `f${nonce.slice(1)}` }));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(path)));
    const won = takers.filter((taker) => taker.status === "fulfilled");
    expect(won).toHaveLength(1);
    await won[0].value.release();
    expect(await readdir(folder)).toEqual([]);
  }
});

test("concurrent processes never hold the lock at the same time", async () => {
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

test("asSoleWriter removes the temporary files of this path only", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "elements.tsv");
  writeFileSync(join(folder, ".elements.tsv.123.0a1b2c3d.tmp"), "half");
  writeFileSync(join(folder, ".other.tsv.123.0a1b2c3d.tmp"), "half");
  await asSoleWriter(path, () => writeFileAtomic(path, "whole"));
  expect(readdirSync(folder).sort()).toEqual([".other.tsv.123.0a1b2c3d.tmp", "elements.tsv"]);
  expect(readFileSync(path, "utf8")).toBe("whole");
});

test("asSoleWriter refuses a second writer", async () => {
  const path = join(temporaryFolder(), "elements.tsv");
  await asSoleWriter(path, async () => {
    await expect(asSoleWriter(path, async () => {})).rejects.toThrow(LockHeld);
  });
  await expect(asSoleWriter(path, async () => "again")).resolves.toBe("again");
});

test.skipIf(process.platform === "win32")(
  "a device is written without a lock [needs /dev/null]",
  async () => {
    await asSoleWriter("/dev/null", () => writeFileAtomic("/dev/null", "text"));
    expect(readdirSync("/dev").filter((name) => name.startsWith("null."))).toEqual([]);
  },
);
