import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readBackgrounds } from "../src/datasets/motif-footprinting/backgrounds.ts";
import { writeFootprints } from "../src/datasets/motif-footprinting/footprint-file.ts";
import { buildFootprints } from "../src/datasets/motif-footprinting/footprints.ts";
import { filesIn } from "../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../src/demo/synthetic/write.ts";
import { readMotifs } from "../src/dna/motifs/meme.ts";

interface PlannedAndMeasured {
  readonly cell: string;
  /** Seconds of the cell as planned: without the start of the program. */
  readonly plannedSeconds: number;
  /** Seconds from the command's start to its end. */
  readonly seconds: number;
  readonly timeRatio: number;
  readonly plannedMegabytes: number;
  /** Peak resident memory of the process. */
  readonly megabytes: number;
  readonly memoryRatio: number;
  /** Seconds that planning takes. */
  readonly planning: number;
}

const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/**
 * Time and memory as `dart-eval run --plan` predicts them, and as the run then takes them, for cells of every
 * task and setting on the synthetic genome. Needs `npm run build`. `PLANS_ONLY` takes the cells whose options
 * contain the text.
 */
export async function benchmark(): Promise<readonly PlannedAndMeasured[]> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-plans-"));
  try {
    const rows: PlannedAndMeasured[] = [];
    for (const [i, options] of (await cells(folder)).entries()) {
      rows.push(await planAndRun(options, join(folder, `run-${i}`), folder));
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function cells(folder: string): Promise<readonly (readonly string[])[]> {
  await writeSyntheticGenome(join(folder, "genome"), { seed: 0, scale: 1 });
  const files = filesIn(join(folder, "genome"));
  const footprints = join(folder, "footprints.tsv");
  const { motifs } = await readMotifs(files.motifs);
  await writeFootprints(
    footprints,
    buildFootprints(await readBackgrounds(files.backgrounds), motifs, { seed: 0 }),
  );
  const large = join(folder, "hyenadna");
  await run(["models", "init", "hyenadna", "--preset", "medium-160k", "--out", large]);
  const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = files.cellLines.GM12878;
  const genome = ["--genome", files.genome];
  const elements = [...genome, "--task", "regulatory-elements", "--data", files.regulatoryElements];
  const motif = [
    ...genome,
    "--task",
    "motif-footprinting",
    "--data",
    `footprints=${footprints}`,
    `families=${files.motifFamilies}`,
  ];
  const types = [...genome, "--task", "cell-type-elements", "--data", files.cellTypePeaks];
  const tables = [
    `peaks=${peaksTable}`,
    `idr=${confidentPeaksTable}`,
    `nonpeaks=${nonPeaksTable}`,
    `signal=${signal}`,
  ];
  const activity = [...genome, "--task", "chromatin-activity", "--data", ...tables, "cell-line=GM12878"];
  const variants = [...genome, "--task", "variant-effects", "--data", `variants=${files.africanVariants}`];
  const trains = (...values: string[]) => ["--recipe", ...values];
  const all: readonly (readonly string[])[] = [
    [...elements, "--split", "all", "--model", "kmer-markov:order=5"],
    [...elements, "--model", "toy:hyenadna"],
    [...elements, "--limit", "40", "--model", "toy:dnabert2"],
    [...elements, "--limit", "20", "--model", "toy:caduceus"],
    [...elements, "--limit", "20", "--model", large],
    [
      ...elements,
      "--model",
      "toy:hyenadna",
      "--setting",
      "probed",
      ...trains("epochs=6", "trainRows=300", "valRows=80"),
    ],
    [
      ...elements,
      "--limit",
      "100",
      "--model",
      "toy:dnabert2",
      "--setting",
      "fine-tuned",
      ...trains("epochs=3", "trainRows=128", "valRows=48", "batchSize=16"),
    ],
    [
      ...elements,
      "--model",
      "probing-head-like",
      "--setting",
      "ab-initio",
      ...trains("epochs=3", "trainRows=300", "valRows=100", "batchSize=32"),
    ],
    [...motif, "--limit", "600", "--model", "toy:hyenadna"],
    [...motif, "--limit", "600", "--model", "toy:dnabert2", "--setting", "zero-shot-embedding"],
    [
      ...types,
      "--model",
      "toy:dnabert2",
      "--setting",
      "zero-shot-embedding",
      ...trains("clusters=20", "clusterSeeds=5", "components=20"),
    ],
    [
      ...types,
      "--model",
      "toy:hyenadna",
      "--setting",
      "probed",
      ...trains("epochs=5", "trainRows=400", "valRows=100"),
    ],
    [
      ...activity,
      "--limit",
      "100",
      "--model",
      "toy:hyenadna",
      "--setting",
      "probed",
      ...trains("epochs=3", "trainRows=128", "valRows=48", "batchSize=16"),
    ],
    [
      ...activity,
      "--limit",
      "60",
      "--model",
      "toy:hyenadna",
      "--setting",
      "fine-tuned",
      ...trains("epochs=2", "trainRows=48", "valRows=24", "batchSize=8"),
    ],
    [
      ...activity,
      "--limit",
      "100",
      "--model",
      "chrombpnet-like",
      "--setting",
      "ab-initio",
      ...trains("epochs=2", "trainRows=64", "valRows=32", "batchSize=16"),
    ],
    [...activity, "--model", "toy:chrombpnet", "--setting", "predicted"],
    [...variants, "--model", "toy:hyenadna"],
    [...variants, "--model", "toy:chrombpnet", "--setting", "predicted"],
  ];
  const only = process.env.PLANS_ONLY ?? "";
  return all.filter((options) => options.join(" ").includes(only));
}

interface PlanAsJson {
  readonly cells: readonly {
    readonly estimate: {
      readonly seconds: number | null;
      readonly memory: number | null;
    };
    readonly embeddings: { readonly place: unknown; readonly bytes: number } | null;
  }[];
}

async function planAndRun(
  options: readonly string[],
  out: string,
  folder: string,
): Promise<PlannedAndMeasured> {
  const command = ["run", ...options, "--device", "cpu", "--out", out];
  const planned = await run([...command, "--plan", "--json"]);
  const [plan] = JSON.parse(planned.output) as readonly PlanAsJson[];
  const { estimate } = plan.cells[0];
  const measured = await run(command, join(folder, "peak"));
  const mega = (bytes: number | null | undefined) => Math.round((bytes ?? Number.NaN) / 1e6);
  const seconds = estimate.seconds ?? Number.NaN;
  const value = (name: string) => options[options.indexOf(name) + 1];
  const setting = options.includes("--setting") ? value("--setting") : "zero-shot";
  return {
    cell: `${value("--task")}, ${setting}, ${value("--model").split("/").pop()}`,
    plannedSeconds: round(seconds),
    seconds: round(measured.seconds),
    timeRatio: round(seconds / measured.seconds),
    plannedMegabytes: mega(estimate.memory),
    megabytes: mega(measured.peak),
    memoryRatio: round((estimate.memory ?? Number.NaN) / measured.peak),
    planning: round(planned.seconds),
  };
}

const round = (value: number) => Number(value.toPrecision(3));

/** Runs the built program; its peak resident memory is read from a hook at its end. */
async function run(args: readonly string[], peakFile?: string) {
  const hook = resolve(tmpdir(), "dart-eval-peak-memory.cjs");
  await writeFile(
    hook,
    `process.on("exit", () => { if (process.env.PEAK_FILE) require("node:fs").writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS * 1024)); });`,
  );
  const began = performance.now();
  const child = spawn(process.execPath, ["--require", hook, program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...(peakFile === undefined ? {} : { PEAK_FILE: peakFile }) },
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`dart-eval ${args.join(" ")} ended with ${code}:\n${errors}`);
  const peak = peakFile === undefined ? Number.NaN : Number(await readFile(peakFile, "utf8"));
  return { output, seconds: (performance.now() - began) / 1000, peak };
}
