/*
 * Runs the workflows of workflows/ with installed engines on a synthetic genome, and compares their scores and
 * metrics with those of single processes, byte for byte. Prints a line for each engine and profile; exits with
 * 1 if one fails or nothing could be run.
 *
 * The engines are `snakemake` and `nextflow` of the PATH, or $SNAKEMAKE and $NEXTFLOW. The profile slurm uses a
 * cluster on this machine if Slurm is installed and this is root, else the cluster of `sbatch`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { packagePath } from "../src/base/package.ts";
import { writeSyntheticGenome } from "../src/demo/synthetic/write.ts";
import { missingForCluster, SlurmCluster } from "../test/product/slurm-cluster.ts";
import { scriptArguments } from "./arguments.ts";

const { values } = scriptArguments(
  "npm run build && npm run workflows -- [--only snakemake-local,nextflow-slurm] [--out FOLDER]",
  { only: { type: "string" }, out: { type: "string" } },
);
const folder = resolve(values.out ?? (await mkdtemp(join(tmpdir(), "dart-eval-workflows-"))));
const only = values.only?.split(",");
const command = [process.execPath, packagePath("dist/cli/main.js")];
const log = (text: string) => process.stdout.write(`${text}\n`);

const runs = [
  ["markov", "kmer-markov:order=3", "zero-shot", 3, "--limit 90"],
  ["probed", "toy:hyenadna", "probed", 1, "--limit 20 --recipe epochs=1 trainRows=16 valRows=8"],
  ["killed", "killed.mjs", "zero-shot", 2, "--limit 20"],
] as const;
type Run = (typeof runs)[number] | readonly ["broken", "broken.mjs", "zero-shot", 1, ""];

/** A model that notes each process, and ends the first with SIGKILL, or fails if `broken`. */
const modelText = (name: string, action: string) => `
  import { appendFileSync, mkdirSync } from "node:fs";
  const attempts = ${JSON.stringify(join(folder, `${name}-attempts`))};
  if (process.env.DART_EVAL_REFERENCE === undefined) appendFileSync(attempts, ".");
  const score = (sequences) => sequences.map((bases) => -bases.replaceAll(/[AT]/g, "").length);
  export default {
    name: ${JSON.stringify(name)},
    identity: ${JSON.stringify(`${name} 1`)},
    batchSize: 4,
    logLikelihood(sequences) {
      if (process.env.DART_EVAL_REFERENCE === undefined) { ${action} }
      return score(sequences);
    },
  };`;

const optionsOf = ([, model, setting, , options]: Run) => [
  ...["--suite", "suite.json", "--data", "a data", "--task", "regulatory-elements"],
  ...["--setting", setting, "--model", model, ...options.split(" ").filter(Boolean)],
];

async function prepare() {
  await writeSyntheticGenome(join(folder, "a data"), { seed: 0, scale: 0.2 });
  const inputs = { elements: "regulatory-elements.tsv", genome: "genome.fa" };
  const row = { task: "regulatory-elements", inputs, settings: { "zero-shot": {}, probed: {} } };
  const suite = {
    format: "dart-eval suite",
    formatVersion: 1,
    name: "synthetic",
    title: "Synthetic",
    rows: [row],
  };
  await writeFile(join(folder, "suite.json"), JSON.stringify(suite));
  // Creating the folder succeeds once.
  const kill = `try { mkdirSync(attempts + "-killed"); } catch { return score(sequences); }
      process.kill(process.pid, "SIGKILL");`;
  await writeFile(join(folder, "killed.mjs"), modelText("killed", kill));
  await writeFile(join(folder, "broken.mjs"), modelText("broken", 'throw new Error("broken");'));
  await writeSheet("runs.tsv", runs);
  await writeSheet("broken.tsv", [["broken", "broken.mjs", "zero-shot", 1, ""]]);
  for (const run of runs) {
    execFileSync(command[0], [command[1], "run", ...optionsOf(run), "--out", join("single", run[0])], {
      cwd: folder,
      env: { ...process.env, DART_EVAL_REFERENCE: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
}

async function writeSheet(name: string, rows: readonly Run[]) {
  const lines = rows.map(([run, model, setting, shards, options]) =>
    [run, model, "regulatory-elements", setting, shards, options].join("\t"),
  );
  await writeFile(join(folder, name), `run\tmodel\ttask\tsetting\tshards\toptions\n${lines.join("\n")}\n`);
}

/** Contents of scores.tsv and metrics.json of the cells of a run. */
async function results(place: string): Promise<string> {
  const names = (await readdir(place, { recursive: true })).filter((name) =>
    /[\\/](scores\.tsv|metrics\.json)$/.test(name),
  );
  if (names.length === 0) throw new Error(`${place} has no results`);
  return (
    await Promise.all(
      names.toSorted().map(async (name) => `${name}\n${await readFile(join(place, name), "utf8")}`),
    )
  ).join("");
}

interface Engine {
  readonly name: string;
  readonly program: string;
  readonly profiles: readonly string[];
  readonly words: (profile: string, configuration: string) => readonly string[];
}

const workflows = packagePath("workflows");
const snakemake: Engine = {
  name: "snakemake",
  program: process.env.SNAKEMAKE ?? "snakemake",
  profiles: ["local", "unshared", "slurm"],
  words: (profile, configuration) => [
    ...["--snakefile", join(workflows, "snakemake/Snakefile"), "--configfile", configuration],
    ...["--profile", join(workflows, "snakemake/profiles", profile === "slurm" ? "slurm" : "local")],
    ...(profile === "unshared" ? ["--config", "shared=false"] : []),
    ...(profile === "slurm" && own !== undefined
      ? ["--slurm-no-account", "--slurm-status-command", "squeue"]
      : []),
  ],
};
const nextflow: Engine = {
  name: "nextflow",
  program: process.env.NEXTFLOW ?? "nextflow",
  profiles: ["local", "slurm"],
  words: (profile, configuration) => [
    ...["run", join(workflows, "nextflow/main.nf"), "-profile", profile, "-params-file", configuration],
  ],
};

const isThere = (program: string) =>
  spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;

let own: SlurmCluster | undefined;
let running: ChildProcess | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    running?.kill();
    await own?.stop();
    process.exit(1);
  });
}

async function runWith(engine: Engine, profile: string, sheet: string, out: string) {
  const place = join(folder, `${engine.name}-${profile}-${out}`);
  await mkdir(place, { recursive: true });
  for (const name of ["suite.json", "killed.mjs", "broken.mjs", sheet]) {
    await writeFile(join(place, name), await readFile(join(folder, name)));
  }
  for (const name of ["killed-attempts", "killed-attempts-killed", "broken-attempts"]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  const configuration = {
    sheet,
    suite: "suite.json",
    data: join(folder, "a data"),
    out: "results",
    command: command.join(" "),
    threads: 1,
    memory_mb: 500,
    minutes: 10,
  };
  await writeFile(join(place, "config.json"), JSON.stringify(configuration));
  const output = openSync(join(place, "engine.log"), "w");
  const child = spawn(engine.program, engine.words(profile, "config.json"), {
    cwd: place,
    env: own?.env ?? process.env,
    stdio: ["ignore", output, output],
  });
  running = child;
  const [status] = await once(child, "close");
  closeSync(output);
  return { status, results: join(place, "results"), log: join(place, "engine.log") };
}

/** Problem of an engine with a profile; undefined if all is as expected. */
async function problemOf(engine: Engine, profile: string): Promise<string | undefined> {
  const done = await runWith(engine, profile, "runs.tsv", "runs");
  if (done.status !== 0) return `exit code ${done.status}, see ${done.log}`;
  for (const [name] of runs) {
    const found = await results(join(done.results, name));
    if (found !== (await results(join(folder, "single", name))))
      return `${name} differs from a single process`;
  }
  if (!existsSync(join(done.results, "report.html"))) return "there is no report.html";
  const attempts = (await readFile(join(folder, "killed-attempts"), "utf8")).length;
  if (attempts !== 3) return `${attempts} processes of a killed run of two shards; expected 3`;
  const broken = await runWith(engine, profile, "broken.tsv", "broken");
  if (broken.status === 0) return "an error of a shard is not an error of the workflow";
  const tries = (await readFile(join(folder, "broken-attempts"), "utf8")).length;
  return tries === 1 ? undefined : `an error with exit code 2 was tried ${tries} times, see ${broken.log}`;
}

await prepare();
let [good, bad] = [0, 0];
try {
  for (const engine of [snakemake, nextflow]) {
    for (const profile of engine.profiles) {
      const name = `${engine.name}-${profile}`;
      if (only !== undefined && !only.includes(name)) continue;
      if (!isThere(engine.program)) {
        log(`${name}: not run: ${engine.program} is not installed`);
        continue;
      }
      if (profile === "slurm" && own === undefined) {
        if (missingForCluster() === undefined) {
          own = await SlurmCluster.start({ cpus: 8 });
        } else if (!isThere("sbatch")) {
          log(`${name}: not run: ${missingForCluster()}`);
          continue;
        }
      }
      const began = performance.now();
      const problem = await problemOf(engine, profile);
      log(
        `${name}: ${problem ?? "as single processes"} (${((performance.now() - began) / 1000).toFixed(0)} s)`,
      );
      if (problem === undefined) good++;
      else bad++;
    }
  }
} finally {
  await own?.stop();
}
log(`${good} as expected, ${bad} failed`);
if (bad > 0 || good === 0) process.exitCode = 1;
else if (values.out === undefined) await rm(folder, { recursive: true, force: true });
