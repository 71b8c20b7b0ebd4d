/*
 * Kills a run with SIGKILL at random moments and compares what comes out in the end with an undisturbed run, byte for byte.
 *
 *   npx tsx scripts/kill-test.ts [--kills 50] [--seed 0] [--compare result.json,metrics.json,scores.tsv] -- COMMAND... {out}
 *
 * `{out}` stands for the output folder and may be part of an argument. The command must run and merge:
 *
 *   npx tsx scripts/kill-test.ts -- node dist/cli/main.js run --task regulatory-elements ... --out {out}
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killRepeatedly } from "./kill-repeatedly.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "0" },
    compare: { type: "string", default: "result.json,metrics.json,scores.tsv" },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);

if (!positionals.some((argument) => argument.includes("{out}"))) {
  say(
    "usage: kill-test.ts [--kills 50] [--seed 0] [--compare NAMES] -- COMMAND... with {out} for the folder",
  );
  process.exit(2);
}
const root = await mkdtemp(join(tmpdir(), "dart-eval-kill-"));
try {
  const report = await killRepeatedly({
    command: (folder) => positionals.map((argument) => argument.replaceAll("{out}", folder)),
    root,
    kills: Number(values.kills),
    seed: Number(values.seed),
    compare: values.compare.split(","),
    tell: say,
  });
  say(JSON.stringify(report, null, 2));
  say(`${report.kills} kills, ${report.runsCompared} runs that ended in spite of them: all bytes alike`);
} finally {
  await rm(root, { recursive: true, force: true });
}
