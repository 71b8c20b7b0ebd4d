import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Pcg64 } from "../src/base/pcg64.ts";
import { integerBelow } from "../src/base/random.ts";
import { writeFileAtomic } from "../src/base/write-file.ts";
import { overlappingKMerVocabulary } from "../src/dna/tokenizers/overlapping-k-mer.ts";
import { initCheckpoint } from "../src/models/checkpoints/init.ts";
import { toyBytePairs } from "../src/models/language/published-checkpoints/toy-byte-pairs.ts";
import type { TrainingDevice } from "../src/net/runtime/device.ts";
import type { BenchmarkOptions } from "./measure.ts";
import { bestOf, pagePath, performancePage, ratioText } from "./performance/page.ts";
import { type Measured, machine, type Results, readResults, resultsPath } from "./performance/results.ts";
import { type Runtime, Side } from "./performance/side.ts";
import {
  type MeasuredModel,
  type MeasuredNetwork,
  MODELS,
  NETWORKS,
  tinyModels,
  type Work,
} from "./performance/works.ts";

/** Time of a work on both sides. */
interface Compared {
  readonly subject: string;
  readonly work: string;
  /** Least of the rounds. */
  readonly milliseconds: number;
  readonly pytorchMilliseconds?: number;
  /** PyTorch's time divided by ours: of the least times, and its range over the rounds. */
  readonly speedup: string;
  readonly largestDifference?: number;
}

/** Masked copies of a row in a batch of the likelihood, per row of the other batches. */
const COPIES = 2;
/** Embeddings in a batch of the probing head. */
const EXAMPLES = 256;
const LENGTH = 350;
/** Pause before a run: both runtimes keep their threads spinning for a moment. */
const REST_MS = 150;

/**
 * Forward pass, likelihood, embedding, LoRA step and probing step of each family, and steps of the networks,
 * on our side and in eager PyTorch, interleaved, each in its own process. `--python` is a Python with the
 * packages of benchmarks/peers/requirements.txt; without it only our side runs. `--write` stores the
 * measurements after each work and writes docs/performance.md; `--only TEXT` selects works by name, and
 * `--resume` skips those that are stored.
 *
 * `--device webgpu` or `cuda` measures a GPU. PyTorch runs on CUDA as well, and has no WebGPU. `--write` then
 * stores results-DEVICE.json next to results.json, with a page of its own. `--tiny` measures two rows of 24
 * tokens on the families' toys, to try the command.
 */
export async function benchmark(options: BenchmarkOptions): Promise<readonly Compared[]> {
  const { threads, device, tiny } = options;
  if (tiny && options.write) throw new Error("--tiny measures toys: it has no --write");
  let results = resultsToExtend(options);
  const stored = new Set(options.resume ? results.rows.map(nameOf) : []);
  const wanted = (each: NamedWork) => nameOf(each).includes(options.only) && !stored.has(nameOf(each));
  const folder = options.weights ?? (await mkdtemp(join(tmpdir(), "dart-eval-performance-")));
  const compared: Compared[] = [];
  try {
    for (const { works, width, prepare } of subjects(folder, tiny)) {
      const selected = works.filter(wanted);
      if (selected.length === 0) continue;
      await prepare();
      const sides = await openSides(options.python, width, { threads, device });
      try {
        for (const work of selected) {
          const { row, versions } = await measure(work, sides, {
            threads,
            device,
            folder,
            rounds: options.rounds,
          });
          compared.push(shown(row));
          const others = results.rows.filter((each) => nameOf(each) !== nameOf(row));
          results = { ...results, versions: versions ?? results.versions, rows: inOrder([...others, row]) };
          if (options.write) await store(results, device);
          else process.stderr.write(`${JSON.stringify(shown(row))}\n`);
        }
      } finally {
        await sides.ours.stop();
        await sides.pytorch?.stop();
      }
    }
  } finally {
    if (options.weights === undefined) await rm(folder, { recursive: true });
  }
  return compared;
}

/** Stored results that `--only` or `--resume` extends, or empty ones. */
function resultsToExtend({ threads, device, write, resume, only }: BenchmarkOptions): Results {
  const here = machine(threads, device);
  const fresh: Results = { machine: here, versions: [], rows: [] };
  const path = resultsPath(device);
  if (!write || !(resume || only !== "") || !existsSync(path)) return fresh;
  const stored = readResults(device);
  if (stored.rows.length === 0) return fresh;
  if (stored.machine === here) return stored;
  throw new Error(`${path} is of another machine, ${stored.machine}: run without --only and --resume`);
}

async function store(results: Results, device: TrainingDevice): Promise<void> {
  const path = resultsPath(device);
  await writeFileAtomic(path, `${JSON.stringify(results, null, 1)}\n`);
  await writeFile(
    device === "cpu" ? pagePath : path.replace(/json$/, "md"),
    performancePage(results, device),
  );
}

const nameOf = ({ subject, work, data }: Pick<Measured, "subject" | "work" | "data">) =>
  `${subject}, ${work}, ${data}`;

interface NamedWork extends Pick<Measured, "subject" | "work" | "data"> {
  readonly request: Work;
}

/** Works that share a pair of processes. */
interface Subject {
  readonly works: readonly NamedWork[];
  /** Inner size of the product to which the works are compared. */
  readonly width: number;
  prepare(): Promise<void>;
}

function subjects(folder: string, tiny = false): readonly Subject[] {
  const models = tiny ? tinyModels() : MODELS;
  return [
    ...models.map((model) => modelSubject(model, folder, tiny ? 2 : EXAMPLES)),
    ...(tiny ? [] : NETWORKS).map((network) => {
      const { examples, length } = network;
      const data = `${examples} × ${length.toLocaleString("en")} bp`;
      const work = { ...networkWork(network, folder), subject: `${network.network} network`, data };
      const width = network.network === "chrombpnet-like" ? 512 : 256;
      return { works: [{ ...work, work: "training step" }], width, prepare: async () => {} };
    }),
  ];
}

const everyName = subjects("").flatMap(({ works }) => works.map(nameOf));
const inOrder = (rows: readonly Measured[]) =>
  rows.toSorted((a, b) => everyName.indexOf(nameOf(a)) - everyName.indexOf(nameOf(b)));

function modelSubject(model: MeasuredModel, folder: string, examples: number): Subject {
  const { name: subject, card, config, tokens, rows } = model;
  const width = card.architecture(config, "config.json").width;
  const at = join(folder, subject.replaceAll(/\W+/g, "-"));
  const [low, high] = model.ids;
  const rng = new Pcg64(350);
  const ids = Array.from({ length: rows }, () =>
    Array.from({ length: tokens }, () => low + integerBelow(rng, high - low)),
  );
  const count = COPIES * rows;
  const positions = Array.from({ length: count }, (_, i) => 1 + Math.floor((i * (tokens - 2)) / count));
  const copies = positions.map((position) => ids[0].map((id, i) => (i === position ? low - 1 : id)));
  const common = { family: card.name, folder: at, kind: card.kind };
  const batch = `${rows} × ${tokens} tokens`;
  const query = (request: Work["work"] & ("forward" | "embedding" | "causal"), work: string): NamedWork => ({
    subject,
    work,
    data: batch,
    request: { ...common, work: request, ids },
  });
  const masked: NamedWork = {
    subject,
    work: "masked likelihood",
    data: `${count} copies × ${tokens} tokens`,
    request: {
      ...common,
      work: "masked",
      ids: copies,
      positions,
      targets: positions.map((position) => ids[0][position]),
    },
  };
  const labels = ids.map((_, i) => i % 2);
  const probing = { network: "probing-head", examples, length: LENGTH, width, tokens } as const;
  return {
    width,
    works: [
      query("forward", "forward"),
      card.kind === "masked" ? masked : query("causal", "causal likelihood"),
      query("embedding", "embedding"),
      {
        subject,
        work: "LoRA step",
        data: batch,
        request: {
          family: card.name,
          folder: at,
          ids,
          labels,
          work: "lora",
          adapter: `${at}.adapter`,
        },
      },
      { ...networkWork(probing, folder), subject, data: `${examples} × ${tokens} tokens of width ${width}` },
    ],
    prepare: () => writeCheckpoint(model, at),
  };
}

function networkWork(network: MeasuredNetwork, folder: string) {
  const labels = Array.from({ length: network.examples }, (_, i) => i % 2);
  const start = join(folder, `${network.network}.safetensors`);
  return { work: "probing step", request: { ...network, work: "network", start, labels } } as const;
}

/** Random weights, as `models init` draws them. The input is token ids: the tokenizer only has to exist. */
async function writeCheckpoint({ card, config }: MeasuredModel, folder: string): Promise<void> {
  if (existsSync(join(folder, "config.json"))) return;
  await rm(folder, { recursive: true, force: true }); // of an interrupted run
  const tokenizer = {
    ...card.tokenizerFiles?.(config),
    ...(card.name === "bert" ? { "vocab.txt": `${overlappingKMerVocabulary(6).join("\n")}\n` } : {}),
    ...(card.tokens === "bpe" || BYTE_PAIR_FAMILIES.has(card.name)
      ? { "tokenizer.json": toyBytePairs([]).json }
      : {}),
  };
  const toys = { measured: config };
  await initCheckpoint({ ...card, toys }, { preset: "measured", seed: 1, folder, tokenizer });
}

const BYTE_PAIR_FAMILIES: ReadonlySet<string> = new Set([
  ...["gpt-neox", "gpt2", "llama", "mamba", "mamba2", "modernbert"],
]);

interface Sides {
  readonly ours: Side;
  readonly pytorch: Side | undefined;
  /** Billions of operations in the product. */
  readonly productGflop: number;
}

async function openSides(python: string | undefined, width: number, runtime: Runtime): Promise<Sides> {
  const ours = Side.ours();
  const hasPeer = python !== undefined && runtime.device !== "webgpu";
  const pytorch = hasPeer ? Side.pytorch(python) : undefined;
  const { gflop } = await ours.request({ product: { width, ...runtime } });
  await ours.request({ runProduct: true });
  return { ours, pytorch, productGflop: gflop! };
}

/** Compares the outputs of both sides, and then runs both in turn. */
async function measure(
  { subject, work, data, request }: NamedWork,
  { ours, pytorch, productGflop }: Sides,
  { folder, rounds, ...runtime }: Runtime & { readonly folder: string; readonly rounds: number },
): Promise<{ readonly row: Measured; readonly versions: string[] | undefined }> {
  const { gflop } = await ours.request({ open: { ...request, ...runtime } });
  const { missing, versions } = (await pytorch?.request({ open: { ...request, ...runtime } })) ?? {
    missing: runtime.device === "webgpu" ? "PyTorch has no WebGPU" : "not run: no PyTorch given",
  };
  const peer = missing === undefined ? pytorch : undefined;
  const files = [join(folder, "ours"), join(folder, "pytorch")] as const;
  await ours.request({ values: files[0] });
  await peer?.request({ values: files[1] });
  const difference = peer === undefined ? undefined : largestDifference(...files);
  // The first run of a training step opens its program.
  await ours.request({ run: true });
  await peer?.request({ run: true });
  const times = { product: [] as number[], ours: [] as number[], pytorch: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const sides = [
      [times.product, ours, { runProduct: true }],
      [times.ours, ours, { run: true }],
      [times.pytorch, peer, { run: true }],
    ] as const;
    for (const [list, side, run] of sides) {
      await pause(REST_MS);
      if (side !== undefined) list.push(rounded((await side.request(run)).milliseconds!));
    }
  }
  const row: Measured = {
    subject,
    work,
    data,
    gflop: rounded(gflop!),
    ours: times.ours,
    productRates: times.product.map((milliseconds) => rounded((1000 * productGflop) / milliseconds)),
    ourPeak: (await ours.request({ peak: true })).bytes!,
    ...(peer === undefined
      ? { missing }
      : { pytorch: times.pytorch, pytorchPeak: (await peer.request({ peak: true })).bytes!, difference }),
  };
  return { row, versions: versions === undefined ? undefined : [...versions] };
}

/** Largest difference of a value, relative to the largest of PyTorch's. */
function largestDifference(ours: string, theirs: string): number {
  const [a, b] = [ours, theirs].map((file) => {
    const { buffer, byteOffset, byteLength } = readFileSync(file);
    return new Float32Array(buffer, byteOffset, byteLength / 4);
  });
  if (a.length !== b.length) throw new Error(`${a.length} values of dart-eval, ${b.length} of PyTorch`);
  let largest = 0;
  let scale = 0;
  a.forEach((value, i) => {
    const difference = Math.abs(value - b[i]);
    if (!(difference <= largest)) largest = difference; // NaN stays
    scale = Math.max(scale, Math.abs(b[i]));
  });
  return rounded(largest / scale);
}

function shown(row: Measured): Compared {
  const { subject, work, ours, pytorch, difference, missing } = row;
  return {
    subject,
    work,
    milliseconds: bestOf(ours),
    ...(pytorch === undefined ? {} : { pytorchMilliseconds: bestOf(pytorch) }),
    speedup: missing ?? ratioText(row),
    ...(difference === undefined ? {} : { largestDifference: difference }),
  };
}

const rounded = (value: number) => Number(value.toPrecision(4));
