/*
 * Feeds mutated files to every parser and prints a line for each: inputs, accepted, refused, failures, inputs
 * per second. Exits with 1 if an input neither parses nor throws an InputError.
 *
 * --first N --inputs 1 repeats input N. --bound is the time limit of an input in seconds.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { scriptArguments, wholeNumber } from "./arguments.ts";
import { fuzz } from "./fuzz/campaign.ts";

const { values } = scriptArguments(
  "npm run fuzz -- [--inputs 50000] [--only bam,vcf] [--seed 0] [--first 0] [--jobs 1] [--bound 60] [--out FOLDER]",
  {
    inputs: { type: "string", default: "50000" },
    only: { type: "string" },
    seed: { type: "string", default: "0" },
    first: { type: "string", default: "0" },
    jobs: { type: "string", default: "1" },
    bound: { type: "string", default: "60" },
    out: { type: "string" },
  },
);
const folder =
  values.out === undefined ? await mkdtemp(join(tmpdir(), "dart-eval-fuzz-")) : resolve(values.out);
const reports = await fuzz({
  folder,
  only: values.only?.split(","),
  inputs: wholeNumber(values.inputs, "--inputs"),
  seed: wholeNumber(values.seed, "--seed"),
  first: wholeNumber(values.first, "--first"),
  jobs: wholeNumber(values.jobs, "--jobs"),
  bound: wholeNumber(values.bound, "--bound"),
  log: (line) => process.stdout.write(`${line}\n`),
});
const failures = reports.reduce((sum, report) => sum + report.failures.length, 0);
process.stdout.write(`${reports.length} parsers, ${failures} failures\n`);
if (failures > 0) process.exitCode = 1;
else await rm(folder, { recursive: true, force: true });
