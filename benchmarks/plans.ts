import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { arch, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { sizeBelow } from "../src/base/folder.ts";
import { readBackgrounds } from "../src/datasets/motif-footprinting/backgrounds.ts";
import { writeFootprints } from "../src/datasets/motif-footprinting/footprint-file.ts";
import { buildFootprints } from "../src/datasets/motif-footprinting/footprints.ts";
import { filesIn } from "../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../src/demo/synthetic/write.ts";
import { readMotifs } from "../src/dna/motifs/meme.ts";
import type { BenchmarkOptions } from "./measure.ts";

interface PlannedAndMeasured {
  readonly cell: string;
  /** Bytes in MB: resident memory of the process at its peak. */
  readonly plannedMegabytes: number;
  readonly megabytes: number;
  readonly memoryRatio: number;
  /** Seconds from the command's start to its end. */
  readonly plannedSeconds: number;
  readonly seconds: number;
  readonly timeRatio: number;
  /** Kilobytes of the run folder. */
  readonly plannedKilobytes: number;
  readonly kilobytes: number;
  /** Seconds that `--plan` takes. */
  readonly planning: number;
}

const table = fileURLToPath(new URL("../docs/plans.md", import.meta.url));
const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/**
 * Memory, time and disk as `dart-eval run --plan` predicts them, and as the run then takes them, for cells of
 * every task and setting on the synthetic genome, with toys and with untrained models of published sizes.
 * Needs `npm run build`. `--write` writes docs/plans.md; `--only TEXT` runs the cells whose options contain
 * the text.
 */
export async function benchmark({ only, write }: BenchmarkOptions): Promise<readonly PlannedAndMeasured[]> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-plans-"));
  try {
    const rows: PlannedAndMeasured[] = [];
    for (const [i, options] of (await cells(folder, only)).entries()) {
      rows.push(await planAndRun(options, join(folder, `run-${i}`), folder));
    }
    if (write) await writeFile(table, documentOf(rows));
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function cells(folder: string, only: string): Promise<readonly (readonly string[])[]> {
  await writeSyntheticGenome(join(folder, "genome"), { seed: 0, scale: 1 });
  const files = filesIn(join(folder, "genome"));
  const footprints = join(folder, "footprints.tsv");
  const { motifs } = await readMotifs(files.motifs);
  await writeFootprints(
    footprints,
    buildFootprints(await readBackgrounds(files.backgrounds), motifs, { seed: 0 }),
  );
  const init = async (family: string, preset: string) => {
    const out = join(folder, preset);
    await run(["models", "init", family, "--preset", preset, "--out", out]);
    return out;
  };
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
  const tasks = { elements, motif, types, activity, variants };
  const models = new Map([
    ["HYENADNA", await init("hyenadna", "medium-160k")],
    ["TRANSFORMER", await init("nucleotide-transformer", "v2-50m-multi-species")],
  ]);
  const all = CELLS.map(([task, options]) => [
    ...tasks[task],
    ...options.split(" ").map((word) => models.get(word) ?? word),
  ]);
  return all.filter((options) => options.join(" ").includes(only));
}

/** Task and options of each cell; HYENADNA and TRANSFORMER are untrained models of published sizes. */
const CELLS = [
  ["elements", "--split all --model kmer-markov:order=5"],
  ["elements", "--model toy:hyenadna"],
  ["elements", "--limit 40 --model toy:dnabert2"],
  ["elements", "--limit 20 --model HYENADNA"],
  ["elements", "--model toy:hyenadna --setting probed --recipe epochs=3 trainRows=200 valRows=60"],
  [
    "elements",
    "--limit 100 --model toy:dnabert2 --setting fine-tuned --recipe epochs=2 trainRows=64 valRows=32 batchSize=16",
  ],
  [
    "elements",
    "--model probing-head-like --setting ab-initio --recipe epochs=3 trainRows=200 valRows=64 batchSize=32",
  ],
  ["motif", "--limit 600 --model toy:hyenadna"],
  ["motif", "--limit 600 --model toy:dnabert2 --setting zero-shot-embedding"],
  [
    "types",
    "--model toy:dnabert2 --setting zero-shot-embedding --recipe clusters=20 clusterSeeds=5 components=20",
  ],
  ["types", "--model toy:hyenadna --setting probed --recipe epochs=3 trainRows=200 valRows=60"],
  [
    "activity",
    "--limit 100 --model toy:hyenadna --setting probed --recipe epochs=2 trainRows=64 valRows=32 batchSize=16",
  ],
  [
    "activity",
    "--limit 60 --model toy:hyenadna --setting fine-tuned --recipe epochs=2 trainRows=48 valRows=24 batchSize=8",
  ],
  [
    "activity",
    "--limit 8 --model chrombpnet-like --setting ab-initio --recipe epochs=1 trainRows=8 valRows=4 batchSize=4",
  ],
  ["activity", "--model toy:chrombpnet --setting predicted"],
  ["variants", "--model toy:hyenadna"],
  ["variants", "--model toy:chrombpnet --setting predicted"],
  ["variants", "--limit 8 --model HYENADNA"],
  ["variants", "--limit 16 --model TRANSFORMER --setting zero-shot-embedding"],
  [
    "elements",
    "--limit 4 --model TRANSFORMER --setting probed --recipe epochs=2 trainRows=48 valRows=16 storedAs=float32",
  ],
  [
    "elements",
    "--limit 4 --model TRANSFORMER --setting fine-tuned --recipe epochs=1 trainRows=16 valRows=8 batchSize=16",
  ],
  [
    "activity",
    "--limit 2 --model HYENADNA --setting fine-tuned --recipe epochs=1 trainRows=8 valRows=4 batchSize=8",
  ],
  ["elements", "--limit 3 --model toy:caduceus"],
] as const;

interface PlanAsJson {
  readonly seconds: number | null;
  readonly cells: readonly {
    readonly estimate: { readonly memory: number | null; readonly disk: number };
    readonly embeddings: { readonly place: unknown; readonly bytes?: number } | null;
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
  const [{ estimate, embeddings }] = plan.cells;
  const measured = await run(command, join(folder, "peak"));
  const seconds = plan.seconds ?? Number.NaN;
  const memory = estimate.memory ?? Number.NaN;
  const stored = embeddings?.place == null || embeddings.place === "recompute" ? 0 : (embeddings.bytes ?? 0);
  const value = (name: string) => options[options.indexOf(name) + 1];
  const setting = options.includes("--setting") ? value("--setting") : "zero-shot";
  return {
    cell: `${value("--task")}, ${setting}, ${value("--model").split("/").pop()}`,
    plannedMegabytes: Math.round(memory / 1e6),
    megabytes: Math.round(measured.peak / 1e6),
    memoryRatio: round(memory / measured.peak),
    plannedSeconds: round(seconds),
    seconds: round(measured.seconds),
    timeRatio: round(seconds / measured.seconds),
    plannedKilobytes: round((estimate.disk + stored) / 1e3),
    kilobytes: round((await sizeBelow(out)).bytes / 1e3),
    planning: round(planned.seconds),
  };
}

/** The measured cells as docs/plans.md. */
function documentOf(rows: readonly PlannedAndMeasured[]): string {
  const lines = rows.map((row) => {
    const cells = [
      row.cell,
      ...[row.plannedMegabytes, row.megabytes, row.memoryRatio.toFixed(2)],
      ...[row.plannedSeconds, row.seconds, row.timeRatio.toFixed(2)],
      ...[row.plannedKilobytes, row.kilobytes],
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const within = rows.filter(({ memoryRatio }) => Math.abs(memoryRatio - 1) <= 0.3).length;
  return `# Plans against runs

\`dart-eval run --plan\` estimates peak memory, time and disk. This table compares the estimates with the runs, each in a
process of its own: \`npm run build && npm run bench -- plans --write\`. Machine: ${arch()}, ${cpus().length} CPU cores,
load average ${loadavg()[0].toFixed(0)} at the end. The models are toys, networks trained from scratch, and untrained models of published sizes
(\`medium-160k\`: HyenaDNA, \`v2-50m-multi-species\`: Nucleotide Transformer). Memory is within 30 % of the peak for ${within} of ${rows.length} cells.

| cell | memory planned, MB | peak, MB | ratio | time planned, s | measured, s | ratio | disk planned, kB | measured, kB |
|---|---|---|---|---|---|---|---|---|
${lines.join("\n")}

## Memory

Peak resident memory is the sum of these parts:

- the process: 140 MB, of which 50 MB are pages of Node's binary, measured with a model without a network
- the tables of the task
- ONNX Runtime: 50 MB, measured with a network of a few kilobytes
- the weights: one copy per session, two for a training step, which packs them for the forward and for the backward pass
- activations: the largest number of values alive at once while the graph runs node by node (\`net/graph/peak-values.ts\`), at
  the batch that runs. A forward pass takes 1.15 times as much, because of fragments and temporaries; measured ratios are 1.0 to
  1.36. For a training step the ratio is 1; measured ratios are 0.82 to 1.17
- trained values, their moments and gradients, before and after a step
- two batches of inputs, and embeddings that stay in memory

## Time

Rows are timed after a first call that warms up; training is timed on two epochs of a few rows. The estimate for the run adds the
start of the program, the opening of data, models and training programs, the check of float16 for stored embeddings, and clustering,
which is timed on random vectors. Early stopping makes training shorter. Where the load of the machine changes between plan and run,
so does the ratio.

## Disk

scores.tsv, from the predictions of the timed rows; half as much for the packed rows; 25 kB of records; the values, moments and best
epoch of a training run; embeddings on disk. A run that exceeds the free space is refused.
`;
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
