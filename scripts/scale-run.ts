/*
 * Evaluates tables of published size with score tables, and checks results, CPU time, memory and disk against
 * bounds.
 *
 *   npm run build && npx tsx scripts/scale-run.ts [--part regulatory] [--rows N] [--short] [--keep FOLDER]
 *     [-- ARGUMENTS...]
 *
 * Prints one line per part; exits with 1 if a bound or an expected result is violated. `--short` runs a few
 * thousand rows, compares the digest of their scores, and checks no bounds of time and memory. Bounds apply
 * to published sizes; `--rows` prints figures for other ones. ARGUMENTS replace dist/cli/main.js after
 * `node`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { broken, runPart, SCALE_PARTS } from "./scale/parts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    part: { type: "string", default: "" },
    rows: { type: "string" },
    short: { type: "boolean", default: false },
    keep: { type: "string" },
  },
});
const built = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const program = positionals.length > 0 ? positionals : [built];
const root = values.keep ?? (await mkdtemp(join(tmpdir(), "dart-eval-scale-")));
try {
  for (const part of SCALE_PARTS.filter(({ name }) => name.includes(values.part))) {
    const published = values.short ? part.short : part.published;
    const size = values.rows === undefined ? published : { ...published, rows: Number(values.rows) };
    const outcome = await runPart(part, size, { program, root });
    const { rows, cpuSeconds, peakMemory, disk, scores, digest } = outcome;
    const wrong = [...outcome.wrong];
    if (values.short && digest !== part.short.digest) wrong.push(`the digest of the scores is ${digest}`);
    if (!values.short && values.rows === undefined) wrong.push(...broken(outcome, part.bounds));
    const figures = [
      `${rows.toLocaleString("en")} rows`,
      `${cpuSeconds.toFixed(1)} CPU s`,
      `${(peakMemory / 1e6).toFixed(0)} MB`,
      `${(disk / 1e6).toFixed(1)} MB on disk, ${(disk / scores).toFixed(2)} × scores.tsv`,
    ];
    process.stdout.write(
      `${part.name}: ${figures.join(", ")}: ${wrong.length === 0 ? "ok" : wrong.join("; ")}\n`,
    );
    if (wrong.length > 0) process.exitCode = 1;
  }
} finally {
  if (values.keep === undefined) await rm(root, { recursive: true, force: true });
}
