import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { Pcg64 } from "../src/base/pcg64.ts";

export interface KillOptions {
  /** The program and its arguments for an output folder, where it starts or resumes a run and merges it. */
  readonly command: (folder: string) => readonly string[];
  /** Existing folder for the runs. */
  readonly root: string;
  readonly kills: number;
  /**
   * Files that must be equal: their names at any depth of the run's folder, or a predicate of paths in it.
   */
  readonly compare: readonly string[] | ((path: string) => boolean);
  readonly seed?: number;
  /** Writes the files that the command expects in a folder. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Environment of the command; default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Seconds after the start in which the command is not killed; default 0. */
  readonly start?: number;
  /** Every second kill comes after new rows; default true. For commands that write rows of a run. */
  readonly waitForRows?: boolean;
  readonly log?: (line: string) => void;
}

export interface KillReport {
  readonly kills: number;
  /** Commands started, the uninterrupted one included. */
  readonly starts: number;
  /** Runs that finished after at least one kill, each compared with the uninterrupted one. */
  readonly runsCompared: number;
  readonly filesCompared: number;
  /** Kills with some, but not all, rows on disk. */
  readonly killsAmongRows: number;
  /** Kills in the middle of writing a line. */
  readonly tornLines: number;
  /** Seconds of the uninterrupted run. */
  readonly seconds: number;
}

/**
 * Runs once uninterrupted; then repeatedly, with SIGKILL after a random time, until it has been killed
 * often enough. Each finished run must have written the same bytes and left no temporary file.
 *
 * @throws {Error} if the bytes differ, a temporary file is left, the command fails by itself, or it always
 *         ends before it is killed
 */
export async function killRepeatedly(options: KillOptions): Promise<KillReport> {
  const { command, root, log = () => {}, prepare = async () => {}, start = 0, waitForRows = true } = options;
  const { compare, env = process.env } = options;
  const isCompared =
    typeof compare === "function"
      ? compare
      : (path: string) => compare.some((name) => path === name || path.endsWith(`/${name}`));
  const rng = new Pcg64(options.seed ?? 0);
  await prepare(join(root, "uninterrupted"));
  const began = performance.now();
  await runFor(command(join(root, "uninterrupted")), env, undefined);
  const seconds = (performance.now() - began) / 1000;
  const expected = await filesBelow(join(root, "uninterrupted"), isCompared);
  if (expected.size === 0) throw new Error("the uninterrupted run wrote no file to compare");
  log(`uninterrupted: ${seconds.toFixed(2)} s, ${expected.size} files to compare`);

  // The start was measured under another load than the run.
  const earliest = Math.min(start, seconds / 2);
  const counts = { kills: 0, starts: 1, runsCompared: 0, killsAmongRows: 0, tornLines: 0 };
  const nextMoment = (folder: string): Moment | undefined => {
    const milliseconds = (earliest + rng.nextFloat64() * (seconds - earliest)) * 1000;
    if (counts.kills >= options.kills) return undefined;
    // Every second kill waits for rows, so that not all of them hit the start of the program.
    return waitForRows && counts.kills % 2 === 1
      ? { milliseconds: milliseconds / 4, afterRowsIn: folder }
      : { milliseconds };
  };
  /** Starts a run again after each kill, until it ends by itself. */
  const killUntilEnd = async (folder: string, round: number) => {
    for (;;) {
      const ended = await runFor(command(folder), env, nextMoment(folder));
      counts.starts++;
      if (ended) return;
      counts.kills++;
      const { among, torn } = await leftBehind(folder);
      counts.killsAmongRows += among ? 1 : 0;
      counts.tornLines += torn;
      log(`kill ${counts.kills}: run ${round}${among ? ", among rows" : ""}${torn > 0 ? ", in a line" : ""}`);
    }
  };
  for (let round = 1; counts.kills < options.kills; round++) {
    if (round > 100 + 10 * options.kills) throw new Error(`${round} runs ended before they were killed`);
    const folder = join(root, `killed-${round}`);
    await prepare(folder);
    const killsBefore = counts.kills;
    await killUntilEnd(folder, round);
    if (counts.kills > killsBefore) {
      requireSame(expected, await filesBelow(folder, isCompared), folder);
      await requireNothingTemporary(folder);
      counts.runsCompared++;
      log(`run ${round} ended after ${counts.kills - killsBefore} kills: identical bytes`);
    }
    await rm(folder, { recursive: true, force: true });
  }
  return { ...counts, filesCompared: expected.size, seconds };
}

/** Time of the kill: after the start, or after the process has added rows to a folder. */
interface Moment {
  readonly milliseconds: number;
  readonly afterRowsIn?: string;
}

/** Runs a program and kills its process tree. True if it ended by itself. */
async function runFor(
  [program, ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  moment: Moment | undefined,
): Promise<boolean> {
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], env });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new AbortController();
  const killing = moment === undefined ? undefined : killAt(child.pid!, moment, ended.signal);
  const [code, signal] = await once(child, "close");
  ended.abort();
  await killing;
  if (signal === "SIGKILL" && moment !== undefined) return false;
  if (code !== 0) throw new Error(`${program} exited with ${code ?? signal}:\n${said}`);
  return true;
}

async function killAt(pid: number, { milliseconds, afterRowsIn }: Moment, ended: AbortSignal) {
  if (afterRowsIn !== undefined) {
    const before = await rowBytes(afterRowsIn);
    while (!ended.aborted && (await rowBytes(afterRowsIn)) === before) await setTimeout(5);
  }
  try {
    await setTimeout(milliseconds, undefined, { signal: ended });
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!["ABORT_ERR", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Bytes of rows of all shards in a run's folder. */
async function rowBytes(folder: string): Promise<number> {
  const paths = await readdir(folder, { recursive: true }).catch(() => []);
  const files = paths.filter((path) => path.endsWith(".jsonl"));
  const sizes = await Promise.all(files.map(async (path) => (await stat(join(folder, path))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Files below a folder, by relative path. */
async function filesBelow(
  folder: string,
  isCompared: (path: string) => boolean,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isFile() && isCompared(path)) found.set(path, await readFile(join(folder, path)));
  }
  return found;
}

function requireSame(expected: Map<string, Buffer>, found: Map<string, Buffer>, folder: string) {
  for (const [path, bytes] of expected) {
    if (!found.get(path)?.equals(bytes))
      throw new Error(`${join(folder, path)} differs from the uninterrupted run`);
  }
  const more = [...found.keys()].find((path) => !expected.has(path));
  if (more !== undefined) throw new Error(`the uninterrupted run has no ${more}`);
}

async function requireNothingTemporary(folder: string): Promise<void> {
  const left = (await readdir(folder, { recursive: true })).find((path) => /\.(tmp|lock)$/.test(path));
  if (left !== undefined) throw new Error(`${join(folder, left)} was left by a killed command`);
}

/** True for rows of an unfinished shard, and the number of torn lines. */
async function leftBehind(folder: string): Promise<{ among: boolean; torn: number }> {
  const paths = await readdir(folder, { recursive: true }).catch(() => []);
  let among = false;
  let torn = 0;
  for (const path of paths.filter((path) => path.endsWith(".jsonl"))) {
    const text = await readFile(join(folder, path), "utf8");
    const done = await stat(join(folder, path.replace(/jsonl$/, "done.json"))).catch(() => undefined);
    among ||= done === undefined && text.split("\n").length > 2;
    torn += text === "" || text.endsWith("\n") ? 0 : 1;
  }
  return { among, torn };
}
