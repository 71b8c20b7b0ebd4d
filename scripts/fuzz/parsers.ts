import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { openFile } from "../../src/base/read-file.ts";
import { entryContents, readZipDirectory } from "../../src/base/zip.ts";
import { readCountTable } from "../../src/datasets/cell-type-elements/read-counts.ts";
import { readCellTypeElements } from "../../src/datasets/cell-type-elements/table.ts";
import { readActivityWindows } from "../../src/datasets/chromatin-activity/windows.ts";
import { readBackgrounds } from "../../src/datasets/motif-footprinting/backgrounds.ts";
import { openProcessed } from "../../src/datasets/processed-data.ts";
import { readRegulatoryElements } from "../../src/datasets/regulatory-elements/table.ts";
import { readVariants } from "../../src/datasets/variants/read.ts";
import { readBam } from "../../src/dna/genome/bam.ts";
import { readBed, readNarrowPeaks } from "../../src/dna/genome/bed.ts";
import { openBigWig } from "../../src/dna/genome/bigwig.ts";
import { openGenome } from "../../src/dna/genome/genome.ts";
import { readStartSites } from "../../src/dna/genome/start-sites.ts";
import { readMotifs } from "../../src/dna/motifs/meme.ts";
import { openTokenizer } from "../../src/dna/tokenizers/open-tokenizer.ts";
import { mergeRun } from "../../src/evaluation/runs/merge.ts";
import { readResults } from "../../src/evaluation/runs/stored-results.ts";
import { verifyCell } from "../../src/evaluation/runs/verify-cell.ts";
import { readSuite } from "../../src/evaluation/suites/read-suite.ts";
import { TASKS } from "../../src/evaluation/tasks/catalogue.ts";
import { readChrombpnet } from "../../src/models/chrombpnet/read-keras.ts";
import { readChrombpnetRecipe } from "../../src/models/chrombpnet/training/recipe.ts";
import { readFold } from "../../src/models/chrombpnet/training/region-selection.ts";
import { readOnnxCard } from "../../src/models/external/onnx-card.ts";
import { openScoreTable } from "../../src/models/external/score-table.ts";
import { openStoredEmbeddings } from "../../src/models/external/stored-embeddings.ts";
import { openModel } from "../../src/models/open-model.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { openOnnxFile, readOnnxFile } from "../../src/net/runtime/onnx-file.ts";
import { reportDocument } from "../../src/report/documents.ts";
import { gatherReport } from "../../src/report/report.ts";
import { writeLeaderboard } from "../../src/report/submissions/leaderboard-folder.ts";
import { submittedCells } from "../../src/report/submissions/submitted-cells.ts";
import { zipBytes } from "../../test/base/zip-bytes.ts";
import { bgzip } from "../../test/dna/genome/bgzip-writer.ts";
import type { Form } from "./mutate.ts";
import { bamOf, safetensorsOf } from "./seeds.ts";

/** Relative paths to contents. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** Bytes to mutate, and the files that contain the result. */
export interface Seed {
  readonly bytes: Uint8Array;
  readonly form: Form;
  files(mutated: Uint8Array): Files;
}

export interface Parser {
  readonly name: string;
  /** @param folder  written by `writeSeeds` */
  seeds(folder: string): readonly Seed[];
  /** Reads the files of a seed in `folder` to the end. Throws an `InputError` if they are invalid. */
  parse(folder: string): Promise<void>;
}

const FORMS: Readonly<Record<string, Form>> = {
  json: "json",
  tsv: "table",
  csv: "table",
  bed: "table",
  narrowPeak: "table",
  fai: "table",
  meme: "table",
  vcf: "table",
  txt: "table",
  log: "table",
  jsonl: "table",
};
const formOf = (name: string): Form => FORMS[name.split(".").at(-1)!] ?? "bytes";

/** A mutated file of the seeds' folder, with unmutated others. */
function seedOfFile(folder: string, name: string, others: readonly string[] = []): Seed {
  const kept = Object.fromEntries(others.map((other) => [other, readFileSync(join(folder, other))]));
  return {
    bytes: readFileSync(join(folder, name)),
    form: formOf(name),
    files: (mutated) => ({ ...kept, [name]: mutated }),
  };
}

/** A parser of one file by its path. */
function fileParser(name: string, file: string, read: (path: string) => Promise<unknown>): Parser {
  return {
    name,
    seeds: (folder) => [seedOfFile(folder, file)],
    parse: async (folder) => void (await read(join(folder, file))),
  };
}

/** A parser of several files, of which one or more are mutated. */
function folderParser(
  name: string,
  mutated: readonly string[],
  others: readonly string[],
  read: (folder: string) => Promise<unknown>,
): Parser {
  return {
    name,
    seeds: (folder) => mutated.map((file) => seedOfFile(folder, file, [...mutated, ...others])),
    parse: async (folder) => void (await read(folder)),
  };
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) void item;
}

async function readArchive(path: string): Promise<void> {
  await using file = await openFile(path);
  for (const entry of (await readZipDirectory(file)).values()) await drain(entryContents(file, entry));
}

async function readGenome(path: string): Promise<void> {
  await using genome = await openGenome(path);
  for (const [chrom, length] of [...genome.chromosomes].slice(0, 8)) {
    await genome.sequence({ chrom, start: 0, end: Math.min(length, 400) });
    await genome.sequence({ chrom, start: Math.max(0, length - 20), end: length });
  }
}

async function readSignal(path: string): Promise<void> {
  const signal = await openBigWig(path);
  try {
    const intervals = [...signal.chromosomes.keys()]
      .slice(0, 4)
      .map((chrom) => ({ chrom, start: 0, end: 500 }));
    await signal.sums(intervals);
    await signal.values(intervals);
  } finally {
    await signal.close();
  }
}

async function readCheckpoint(path: string): Promise<void> {
  await using checkpoint = await openCheckpoint(path);
  for (const name of [...checkpoint.arrays.keys()].slice(0, 50)) await checkpoint.read(name);
}

async function readProcessed(path: string): Promise<void> {
  await using data = await openProcessed(path);
  void data.hasCellTypes;
  data.variantTables();
  const { members } = data.elements("test");
  for (const member of [members.element, members.control]) member.codes(0, member.entries);
  data.cellTypes("test");
}

async function readEmbeddings(path: string): Promise<void> {
  const model = await openStoredEmbeddings(path);
  try {
    const origins = [0, 1, 2].map((row) => ({ task: "regulatory-elements", row, member: 0 }));
    await model.embed!(["ACGT", "ACGT", "ACGT"], { protocol: "corrected", origins });
  } finally {
    await model.close?.();
  }
}

async function readRowScores(path: string): Promise<void> {
  const model = await openScoreTable(path);
  const columns = ["idx", "seq_score", "ctrl_score"];
  await model.expectRows?.({ task: "regulatory-elements", columns, rows: Uint32Array.of(0, 2), inTable: 3 });
}

async function inspectOnnx(folder: string): Promise<void> {
  await readOnnxFile(join(folder, "model.onnx"));
}

async function runOnnx(folder: string): Promise<void> {
  const file = await readOnnxFile(join(folder, "model.onnx"));
  const program = await openOnnxFile(file, { threads: 1 });
  await program.close();
}

async function openFolder(folder: string): Promise<void> {
  const model = await openModel(folder, { device: "cpu", threads: 1 });
  await model.close?.();
}

async function report(folder: string): Promise<void> {
  const results = await readResults(join(folder, "run"));
  reportDocument(await gatherReport(results, { tasks: TASKS }), "text");
}

/** Verifies every result of a run or a leaderboard. */
async function verifyAll(path: string): Promise<void> {
  for (const cell of await submittedCells(path)) await verifyCell(cell);
}

/** All files of a folder, whatever their format. */
function filesOf(folder: string, name: string): readonly string[] {
  return readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const isResult = (path: string) => /\/(result|timing)\.json$/.test(path);

/** A parser of a run's folder, or another one, that mutates the chosen files. */
function runParser(
  name: string,
  chosen: (path: string) => boolean,
  read: (folder: string) => Promise<unknown>,
  inFolder = "run",
): Parser {
  return {
    name,
    seeds(folder) {
      const all = filesOf(folder, inFolder);
      return all.filter(chosen).map((file) => seedOfFile(folder, file, all));
    },
    parse: async (folder) => void (await read(folder)),
  };
}

const toyFiles = (toy: string, ...names: readonly string[]) => names.map((name) => `toys/${toy}/${name}`);

/** Every parser of user files. */
export const PARSERS: readonly Parser[] = [
  fileParser("bed", "elements.bed", (path) => drain(readBed(path))),
  fileParser("narrowpeak", "peaks.narrowPeak", (path) => drain(readNarrowPeaks(path))),
  {
    name: "gtf",
    seeds: () => [
      {
        bytes: Buffer.from(
          "#!genome\nchr1\ttest\tgene\t101\t900\t.\t+\t.\tgene_id\nchr1\ttest\ttranscript\t101\t900\t.\t-\t.\tgene_id\n",
        ),
        form: "table",
        files: (mutated) => ({ "genes.gtf": mutated }),
      },
    ],
    parse: async (folder) => void (await readStartSites(join(folder, "genes.gtf"))),
  },
  fileParser("fasta", "genome.fa", readGenome),
  folderParser("fasta-index", ["genome.fa.fai"], ["genome.fa"], (folder) =>
    readGenome(join(folder, "genome.fa")),
  ),
  {
    name: "bgzip",
    seeds: (folder) => [
      seedOfFile(folder, "genome.fa.gz"),
      { ...seedOfFile(folder, "genome.fa"), files: (mutated) => ({ "genome.fa.gz": bgzip(mutated, 128) }) },
    ],
    parse: (folder) => readGenome(join(folder, "genome.fa.gz")),
  },
  folderParser("bgzip-index", ["genome.fa.gz.gzi", "genome.fa.gz.fai"], ["genome.fa.gz"], (folder) =>
    readGenome(join(folder, "genome.fa.gz")),
  ),
  fileParser("2bit", "genome.2bit", readGenome),
  fileParser("bigwig", "signal.bw", readSignal),
  {
    name: "bam",
    seeds(folder) {
      const text = readFileSync(join(folder, "reads.text"));
      return [
        { bytes: text, form: "bytes", files: (mutated) => ({ "reads.bam": bamOf(mutated) }) },
        { bytes: bamOf(text), form: "bytes", files: (mutated) => ({ "reads.bam": mutated }) },
      ];
    },
    parse: (folder) =>
      readBam(
        join(folder, "reads.bam"),
        () => {},
        () => {},
      ),
  },
  fileParser("meme", "motifs.meme", readMotifs),
  fileParser("vcf", "variants.vcf", readVariants),
  fileParser("african-variants", "african.tsv", readVariants),
  fileParser("yoruban-variants", "yoruban.tsv", readVariants),
  fileParser("regulatory-elements", "regulatory-elements.tsv", (path) => readRegulatoryElements(path)),
  fileParser("cell-type-elements", "cell-type-elements.tsv", readCellTypeElements),
  fileParser("counts-matrix", "counts.csv", readCountTable),
  fileParser("activity-windows", "activity.bed", readActivityWindows),
  fileParser("backgrounds", "backgrounds.txt", readBackgrounds),
  fileParser("row-scores", "row-scores.tsv", readRowScores),
  fileParser("sequence-scores", "sequence-scores.tsv", openScoreTable),
  {
    name: "safetensors",
    seeds(folder) {
      const header = readFileSync(join(folder, "safetensors.json"));
      return [
        {
          bytes: header,
          form: "json",
          files: (mutated) => ({ "model.safetensors": safetensorsOf(mutated) }),
        },
        {
          bytes: safetensorsOf(header),
          form: "bytes",
          files: (mutated) => ({ "model.safetensors": mutated }),
        },
      ];
    },
    parse: (folder) => readCheckpoint(join(folder, "model.safetensors")),
  },
  {
    name: "safetensors-shards",
    seeds(folder) {
      const one = safetensorsOf(readFileSync(join(folder, "safetensors.json")));
      const files = (mutated: Uint8Array) => ({
        "model.safetensors.index.json": mutated,
        "one.safetensors": one,
      });
      return [{ bytes: readFileSync(join(folder, "shards.json")), form: "json", files }];
    },
    parse: readCheckpoint,
  },
  {
    name: "torch",
    seeds: (folder) =>
      ["nested.bin", "protocol-4.bin", "shared.bin", "views.bin"].map((name) => ({
        ...seedOfFile(folder, name),
        files: (mutated) => ({ "pytorch_model.bin": mutated }),
      })),
    parse: readCheckpoint,
  },
  {
    name: "zip",
    seeds: () =>
      [false, true].map((zip64) => ({
        bytes: zipBytes(
          [
            { name: "stored", data: Buffer.from("ACGT") },
            { name: "deflated", data: deflateRawSync("ACGT".repeat(50)), method: 8, unpacked: 200 },
          ],
          { zip64 },
        ),
        form: "bytes",
        files: (mutated) => ({ "archive.zip": mutated }),
      })),
    parse: (folder) => readArchive(join(folder, "archive.zip")),
  },
  fileParser("keras", "chrombpnet.h5", readChrombpnet),
  fileParser("processed-hdf5", "data.h5", readProcessed),
  fileParser("embeddings-hdf5", "embeddings.h5", readEmbeddings),
  folderParser("onnx", ["model.onnx"], ["weights.bin"], inspectOnnx),
  folderParser("onnx-runtime", ["model.onnx"], ["weights.bin"], runOnnx),
  folderParser("onnx-card", ["model.card.json"], ["model.onnx"], (folder) =>
    readOnnxCard(join(folder, "model.onnx")),
  ),
  folderParser(
    "tokenizer",
    toyFiles("dnabert2", "tokenizer.json"),
    toyFiles("dnabert2", "config.json"),
    async (folder) => (await openTokenizer(join(folder, "toys/dnabert2"))).encode("ACGTNACGT"),
  ),
  ...["hyenadna", "nucleotide-transformer", "dnabert2"].map((toy) => {
    const others = toy === "dnabert2" ? ["tokenizer.json"] : toy === "hyenadna" ? [] : ["vocab.txt"];
    return folderParser(
      `config-${toy}`,
      toyFiles(toy, "config.json"),
      toyFiles(toy, "model.safetensors", ...others),
      (folder) => openFolder(join(folder, "toys", toy)),
    );
  }),
  runParser(
    "run-folder",
    (path) => !isResult(path),
    (folder) => mergeRun(join(folder, "run")),
  ),
  runParser("results", (path) => isResult(path) || path.endsWith("plan.json"), report),
  runParser("verify", isResult, (folder) => verifyAll(join(folder, "run"))),
  runParser(
    "leaderboard",
    (path) => /\.jsonl?$/.test(path),
    async (folder) => {
      await writeLeaderboard(join(folder, "leaderboard"), []);
      await verifyAll(join(folder, "leaderboard"));
    },
    "leaderboard",
  ),
  fileParser("suite", "suite.json", readSuite),
  fileParser("recipe", "recipe.json", readChrombpnetRecipe),
  fileParser("fold", "fold.json", readFold),
];
