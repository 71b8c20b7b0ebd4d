/*
 * Child process that parses a campaign's inputs; the campaign survives its crash, hang or exhausted memory.
 *
 *   parse-child.ts JOB.json    a `FuzzJob`; failures are appended to its file as JSON lines
 */
import fs, { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import type { Failure, FuzzJob } from "./campaign.ts";
import type { Files, Parser } from "./parsers.ts";

const job = JSON.parse(readFileSync(process.argv[2], "utf8")) as FuzzJob;

/** Largest resident memory of the process, in KiB. */
const MAX_MEMORY = 2 * 2 ** 20;

/** Path of an opened file that belongs neither to the input, nor to the cache, nor to the program. */
let outside: string | undefined;
const own = [
  fileURLToPath(new URL("../../", import.meta.url)),
  resolve(job.work) + sep,
  ...["/proc/", "/etc/machine-id"],
  // Anonymous file to which the HDF5 library prints its errors.
  "/tmp/tmpfile_",
];
watchOpening();
shortenTimeLimits();
// Mapping the stack of an error through h5wasm takes 0.5 s. A repeated input has its stack mapped.
if (job.inputs > 1) process.setSourceMapsEnabled(false);

// Imported after the functions that open files were replaced.
const { InputError } = await import("../../src/base/errors.ts");
const { GraphError } = await import("../../src/net/graph/graph-error.ts");
const { PARSERS } = await import("./parsers.ts");
const { inputOf } = await import("./inputs.ts");
const { emptyState, openState, readState } = await import("./state.ts");

const parsers = job.parsers.map((name) => PARSERS.find((parser) => parser.name === name)!);
const state = job.from === 0 ? emptyState(parsers.length) : readState(job.state, parsers.length);
const file = openState(job.state);
for (const [p, parser] of parsers.entries()) {
  const done = Math.max(0, job.from - p * job.inputs);
  const count = job.counts[p];
  if (done >= count) continue;
  const seeds = parser.seeds(job.seeds);
  if (done === 0) await checkSeeds(p, parser);
  for (let i = done; i < count; i++) {
    state.position = p * job.inputs + i;
    file.write(state);
    const number = job.first + i;
    const began = performance.now();
    const error = await parsed(parser, inputOf(parser, seeds, job.seed, number));
    state.seconds[p] += (performance.now() - began) / 1000;
    judge(p, parser, number, error);
    if (process.resourceUsage().maxRSS > MAX_MEMORY) {
      fail(parser, number, new Error(`more than ${MAX_MEMORY / 1024} MiB of memory`));
      // The peak memory never falls: the next input needs a new process.
      end(state.position + 1);
    }
  }
}
end(parsers.length * job.inputs);

/** Exits at once: handles left open by a parser would keep the process alive. */
function end(position: number): never {
  file.write({ ...state, position });
  process.exit(0);
}

/** Reports refused seeds, whose mutations would be meaningless. */
async function checkSeeds(p: number, parser: Parser): Promise<void> {
  state.position = p * job.inputs;
  file.write(state);
  for (const { bytes, files } of parser.seeds(job.seeds)) {
    const error = await parsed(parser, files(bytes));
    if (error !== undefined) fail(parser, undefined, error);
  }
}

function judge(p: number, parser: Parser, number: number, error: unknown): void {
  if (error === undefined) state.accepted[p]++;
  // The graph of an accepted config has no mistakes.
  else if (error instanceof InputError && !(error instanceof GraphError)) state.refused[p]++;
  else fail(parser, number, error);
  if (outside !== undefined) fail(parser, number, new Error(`opened another file: ${outside}`));
}

function fail({ name }: Parser, number: number | undefined, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const failure: Failure = { parser: name, number, text: text.slice(0, 2000) };
  appendFileSync(job.failures, `${JSON.stringify(failure)}\n`);
}

/** The error of a parser on some files; undefined when it accepts them. */
async function parsed(parser: Parser, files: Files): Promise<unknown> {
  const folder = join(job.work, "input");
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  outside = undefined;
  try {
    await parser.parse(folder);
    return undefined;
  } catch (error) {
    return error ?? new Error("undefined was thrown");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Limits a call of the HDF5 library to 2 s instead of 30: one in 60 damaged files makes it loop forever. */
function shortenTimeLimits(): void {
  const original = Script.prototype.runInContext;
  Script.prototype.runInContext = function (context, options) {
    const given = typeof options === "object" ? options : {};
    return original.call(this, context, { ...given, timeout: Math.min(given.timeout ?? 2000, 2000) });
  };
}

/** Records every path opened through Node. Files opened by ONNX Runtime are not seen. */
function watchOpening(): void {
  const note = (path: unknown) => {
    if (typeof path === "number" || typeof path === "object") return;
    const full = resolve(String(path));
    if (!own.some((folder) => full.startsWith(folder))) outside ??= full;
  };
  function watched<T extends object, K extends keyof T>(module: T, name: K): void {
    const original = module[name];
    if (typeof original !== "function") return;
    const replaced = (path: unknown, ...rest: unknown[]) => {
      note(path);
      return Reflect.apply(original, module, [path, ...rest]);
    };
    Object.defineProperty(module, name, { value: replaced, configurable: true, writable: true });
  }
  watched(fs, "open");
  watched(fs, "openSync");
  watched(fs, "readFile");
  watched(fs, "readFileSync");
  watched(fs, "createReadStream");
  watched(fs.promises, "open");
  watched(fs.promises, "readFile");
  syncBuiltinESMExports();
}
