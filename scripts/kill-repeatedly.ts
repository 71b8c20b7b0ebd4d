import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { Pcg64 } from "../src/base/pcg64.ts";

export interface KillOptions {
  /** The program and its arguments for an output folder; it makes a run there, or goes on with it, and merges it. */
  readonly command: (folder: string) => readonly string[];
  /** A folder for the runs; made by the caller. */
  readonly root: string;
  readonly kills: number;
  /** Names of the files that must come out alike, wherever they lie in the run's folder. */
  readonly compare: readonly string[];
  readonly seed?: number;
  readonly tell?: (line: string) => void;
}

export interface KillReport {
  readonly kills: number;
  /** Runs that came to their end after at least one kill, every one compared with the uninterrupted one. */
  readonly runsCompared: number;
  readonly filesCompared: number;
  /** Kills at which some rows, but not all that the run has, were on disk. */
  readonly killsAmongRows: number;
  /** Kills in the middle of writing a line. */
  readonly tornLines: number;
  /** Seconds of the uninterrupted run. */
  readonly seconds: number;
}

/**
 * Makes a run once undisturbed; then again and again, with SIGKILL after a random time, until it has been killed
 * often enough. Each run that comes to its end in spite of that must have left the same bytes.
 *
 * @throws {Error} when the bytes differ, or the command fails by itself
 */
export async function killRepeatedly(options: KillOptions): Promise<KillReport> {
  const { command, root, compare, tell = () => {} } = options;
  const rng = new Pcg64(options.seed ?? 0);
  const began = performance.now();
  await runFor(command(join(root, "undisturbed")), undefined);
  const seconds = (performance.now() - began) / 1000;
  const expected = await filesNamed(join(root, "undisturbed"), compare);
  if (expected.size === 0) throw new Error(`the run left no file named ${compare.join(" or ")}`);
  tell(`undisturbed: ${seconds.toFixed(2)} s, ${expected.size} files to compare`);

  let kills = 0;
  let runsCompared = 0;
  let killsAmongRows = 0;
  let tornLines = 0;
  for (let round = 1; kills < options.kills; round++) {
    const folder = join(root, `killed-${round}`);
    let killsOfRun = 0;
    for (let ended = false; !ended; ) {
      const milliseconds = rng.nextFloat64() * seconds * 1000;
      const enough = kills >= options.kills;
      // Every second kill waits for rows, so that a slow start of the program does not take all of them.
      const moment =
        kills % 2 === 0 ? { milliseconds } : { milliseconds: milliseconds / 4, afterRowsIn: folder };
      ended = await runFor(command(folder), enough ? undefined : moment);
      if (ended) break;
      kills++;
      killsOfRun++;
      const { among, torn } = await leftBehind(folder);
      killsAmongRows += among ? 1 : 0;
      tornLines += torn;
      tell(`kill ${kills}: run ${round}${among ? ", among rows" : ""}${torn > 0 ? ", in a line" : ""}`);
    }
    if (killsOfRun > 0) {
      requireSame(expected, await filesNamed(folder, compare), folder);
      runsCompared++;
      tell(`run ${round} ended after ${killsOfRun} kills: the same bytes`);
    }
    await rm(folder, { recursive: true, force: true });
  }
  return { kills, runsCompared, filesCompared: expected.size, killsAmongRows, tornLines, seconds };
}

/** When to kill: so long after the start, or after the process has added rows to a folder. */
interface Moment {
  readonly milliseconds: number;
  readonly afterRowsIn?: string;
}

/** Runs a program, and kills it with all that it started. True when it came to its end by itself. */
async function runFor([program, ...args]: readonly string[], moment: Moment | undefined): Promise<boolean> {
  const child = spawn(program!, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
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
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}:\n${said}`);
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
    // It ended by itself, before or just now.
    if (!["ABORT_ERR", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Bytes of rows in a run's folder, whatever their shard. */
async function rowBytes(folder: string): Promise<number> {
  const paths = await readdir(folder, { recursive: true }).catch(() => []);
  const files = paths.filter((path) => path.endsWith(".jsonl"));
  const sizes = await Promise.all(files.map(async (path) => (await stat(join(folder, path))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Files of these names below a folder, by their path in it. */
async function filesNamed(folder: string, names: readonly string[]): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const path of (await readdir(folder, { recursive: true })).sort()) {
    if (names.some((name) => path === name || path.endsWith(`/${name}`))) {
      found.set(path, await readFile(join(folder, path)));
    }
  }
  return found;
}

function requireSame(expected: Map<string, Buffer>, found: Map<string, Buffer>, folder: string) {
  for (const [path, bytes] of expected) {
    if (!found.get(path)?.equals(bytes))
      throw new Error(`${join(folder, path)} is not what the undisturbed run left`);
  }
}

/** Whether the folder holds rows of a shard that is not finished, and how many lines in it are torn. */
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
