import { execFile } from "node:child_process";
import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type KillOptions, killRepeatedly } from "../kill-repeatedly.ts";
import { killParts, type Part } from "./parts.ts";

export interface KillCampaignOptions {
  /** New folder for inputs and outputs. */
  readonly folder: string;
  /** SIGKILLs for all parts together. */
  readonly kills: number;
  readonly seed: number;
  /** Parts to kill, by name; default: all. */
  readonly only?: (part: Part) => boolean;
  readonly log?: (line: string) => void;
}

export interface PartReport {
  readonly part: string;
  readonly kills: number;
  readonly starts: number;
  readonly runsCompared: number;
  readonly filesCompared: number;
  /** Difference from the uninterrupted run, or a left-over of a killed one. */
  readonly fault?: string;
}

const COMMAND = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/**
 * Outputs that must be equal. Rows of a shard are an intermediate result, covered by `scores.tsv` and the
 * metrics; `timing.json` holds durations.
 */
const isOutput = (path: string) => !/(^|\/)(rows\/.*|timing\.json|[^/]*\.lock)$/.test(path);

/**
 * Kills each part at random moments until it has been killed often enough, starts it again after each, and
 * compares the outputs with those of an uninterrupted run. Needs `dist/`.
 */
export async function killCampaign(options: KillCampaignOptions): Promise<readonly PartReport[]> {
  const { folder, kills, seed, only = () => true, log = () => {} } = options;
  await mkdir(folder, { recursive: true });
  const parts = (await killParts(join(folder, "inputs"))).filter(only);
  const began = performance.now();
  await succeed([process.execPath, COMMAND, "--version"], process.env);
  const start = (performance.now() - began) / 1000;
  const reports: PartReport[] = [];
  for (const [i, part] of parts.entries()) {
    const share = Math.floor(kills / parts.length) + (i < kills % parts.length ? 1 : 0);
    const report = await killPart(part, {
      root: join(folder, `part-${i}`),
      kills: share,
      seed: seed + i,
      start,
    });
    reports.push(report);
    log(partLine(report));
  }
  return reports;
}

async function killPart(
  part: Part,
  { root, kills, seed, start }: Required<Pick<KillOptions, "root" | "kills" | "seed" | "start">>,
): Promise<PartReport> {
  const temporary = join(root, "tmp");
  const prepared = join(root, "prepared");
  await mkdir(temporary, { recursive: true });
  await mkdir(prepared);
  const env = { ...process.env, DART_EVAL_CACHE: join(root, "cache"), TMPDIR: temporary };
  const dartEval = (words: readonly string[]) => [process.execPath, COMMAND, ...words];
  for (const words of part.before?.(prepared) ?? []) await succeed(dartEval(words), env);
  try {
    const report = await killRepeatedly({
      command: (out) => dartEval(part.words(out)),
      prepare: (out) => cp(prepared, out, { recursive: true }),
      compare: isOutput,
      waitForRows: false,
      root,
      kills,
      seed,
      start,
      env,
    });
    const left = await readdir(temporary);
    const { starts, runsCompared, filesCompared } = report;
    return {
      part: part.name,
      kills,
      starts,
      runsCompared,
      filesCompared,
      ...(left.length === 0 ? {} : { fault: `${left.length} temporary folders are left` }),
    };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { part: part.name, kills, starts: 0, runsCompared: 0, filesCompared: 0, fault };
  }
}

async function succeed([program, ...words]: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await promisify(execFile)(program, words, { env });
}

function partLine({ part, kills, starts, runsCompared, filesCompared, fault }: PartReport): string {
  const figures = `${part.padEnd(33)} ${String(kills).padStart(4)} kills ${String(starts).padStart(5)} starts`;
  const compared = `${String(runsCompared).padStart(4)} runs of ${String(filesCompared).padStart(3)} files compared`;
  return `${figures} ${compared}: ${fault === undefined ? "identical" : `FAILED: ${fault}`}`;
}
