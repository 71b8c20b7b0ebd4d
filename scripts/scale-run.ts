/*
 * Evaluates tables of published size with score tables, and checks results, CPU time, memory and disk against
 * bounds.
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
import { rejectArguments, scriptArguments, wholeNumber } from "./arguments.ts";
import { broken, runPart, SCALE_PARTS } from "./scale/parts.ts";

const { values, positionals } = scriptArguments(
  "npm run build && npx tsx scripts/scale-run.ts [--part regulatory] [--rows N] [--short] [--keep FOLDER] [-- ARGUMENTS...]",
  {
    part: { type: "string", default: "" },
    rows: { type: "string" },
    short: { type: "boolean", default: false },
    keep: { type: "string" },
  },
  { allowPositionals: true },
);
const built = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const program = positionals.length > 0 ? positionals : [built];
const givenRows = values.rows === undefined ? undefined : wholeNumber(values.rows, "--rows");
const parts = SCALE_PARTS.filter(({ name }) => name.includes(values.part));
if (parts.length === 0) {
  rejectArguments(
    `no part has ${values.part} in its name: ${SCALE_PARTS.map(({ name }) => name).join(", ")}`,
  );
}
const root = values.keep ?? (await mkdtemp(join(tmpdir(), "dart-eval-scale-")));
try {
  for (const part of parts) {
    const published = values.short ? part.short : part.published;
    const size = givenRows === undefined ? published : { ...published, rows: givenRows };
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
