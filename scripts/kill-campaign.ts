/*
 * Kills every long-running part of the command with SIGKILL at random moments, starts it again, and compares
 * its outputs with those of an uninterrupted run, byte for byte. Prints a line for each part; exits with 1 if
 * one differs.
 *
 * --kills is the number for all parts together.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { scriptArguments, wholeNumber } from "./arguments.ts";
import { killCampaign } from "./kill/campaign.ts";

const { values } = scriptArguments(
  "npm run build && npm run kill -- [--kills 500] [--only merge,report] [--seed 0] [--out FOLDER]",
  {
    kills: { type: "string", default: "500" },
    only: { type: "string" },
    seed: { type: "string", default: "0" },
    out: { type: "string" },
  },
);
const folder =
  values.out === undefined ? await mkdtemp(join(tmpdir(), "dart-eval-kill-")) : resolve(values.out);
const only = values.only?.split(",");
const reports = await killCampaign({
  folder,
  kills: wholeNumber(values.kills, "--kills"),
  seed: wholeNumber(values.seed, "--seed"),
  only: ({ name }) => only?.includes(name) ?? true,
  log: (line) => process.stdout.write(`${line}\n`),
});
const failed = reports.filter(({ fault }) => fault !== undefined);
process.stdout.write(`${reports.length} parts, ${failed.length} failed\n`);
if (failed.length > 0 || reports.length === 0) process.exitCode = 1;
else await rm(folder, { recursive: true, force: true });
