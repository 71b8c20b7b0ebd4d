import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { filesIn } from "../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { openGenome } from "../../src/dna/genome/genome.ts";
import { bigWigBytes } from "../../src/dna/genome/write-bigwig.ts";
import { mergeRun } from "../../src/evaluation/runs/merge.ts";
import { planRun } from "../../src/evaluation/runs/plan.ts";
import { runShard } from "../../src/evaluation/runs/run-shard.ts";
import { miniSuite } from "../../src/evaluation/suites/mini.ts";
import { suiteFile } from "../../src/evaluation/suites/read-suite.ts";
import { openModel } from "../../src/models/open-model.ts";
import { ndArray } from "../../src/net/arrays/array.ts";
import { add, input, matMul, parameter } from "../../src/net/graph/build.ts";
import { graphOf } from "../../src/net/graph/graph.ts";
import { toOnnx } from "../../src/net/graph/onnx.ts";
import { writeLeaderboard } from "../../src/report/submissions/leaderboard-folder.ts";
import { bgzip } from "../../test/dna/genome/bgzip-writer.ts";
import { oneHot, writeHdf5 } from "../../test/evaluation/hdf5-file.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

const numbers = (...values: readonly number[]) => Buffer.from(Int32Array.from(values).buffer);

/** Uncompressed BAM of two mapped reads and an unmapped one on chr1 of 1,000 bases. */
function bamText(): Buffer {
  const header = Buffer.from("@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:1000\n");
  const read = (position: number, flag: number) => {
    const bytes = Buffer.alloc(4 + 32 + 2 + 4 + 2 + 4);
    bytes.writeInt32LE(bytes.length - 4, 0);
    bytes.writeInt32LE(flag === 4 ? -1 : 0, 4);
    bytes.writeInt32LE(position, 8);
    bytes.writeUInt8(2, 12);
    bytes.writeUInt16LE(1, 16);
    bytes.writeUInt16LE(flag, 18);
    bytes.writeInt32LE(4, 20);
    bytes.write("r\0", 36);
    bytes.writeUInt32LE(4 << 4, 38);
    bytes.set([0x12, 0x48, 30, 30, 30, 30], 42);
    return bytes;
  };
  return Buffer.concat([
    Buffer.from("BAM\x01", "latin1"),
    numbers(header.length),
    header,
    numbers(1, 5),
    Buffer.from("chr1\0"),
    numbers(1000),
    ...[read(100, 0), read(200, 16), read(-1, 4)],
  ]);
}

/** 2bit file of one sequence, chr1, of 16 bases, with a stretch of N and a masked one. */
function twoBit(): Buffer {
  const index = Buffer.concat([Buffer.from("\x04chr1"), numbers(16 + 9)]);
  return Buffer.concat([
    numbers(0x1a412743, 0, 1, 0),
    index,
    numbers(16, 1, 2, 3, 1, 8, 4, 0),
    numbers(0x1b2d4e72),
  ]);
}

/** Text of a folder's FASTA: two sequences on lines of 60 bases. */
function fasta(): string {
  const line = "ACGTTGCAACGTNNACGTacgtACGATCGATCGGCTAGCTAGCATCGATCAGCTACGACTG";
  return `>chr1 first\n${`${line}\n`.repeat(5)}ACGT\n>chr2\n${`${line}\n`.repeat(3)}`;
}

/** A run of a Markov model on Task 1, merged. */
async function writeRun(folder: string, synthetic: string): Promise<void> {
  const files = filesIn(synthetic);
  await using genome = await openGenome(files.genome);
  const model = await openModel("kmer-markov:order=2", { genome });
  const plan = await planRun({
    tasks: [{ task: "regulatory-elements", inputs: { genome, elements: files.regulatoryElements } }],
    models: [model],
    folder,
    split: "all",
    limit: 12,
    batchSize: 4,
    timing: false,
  });
  try {
    await runShard(plan);
    await mergeRun(folder);
  } finally {
    await plan.close();
    await model.close?.();
  }
}

/** Writes a valid file of every readable format, a few kilobytes each, into a new folder. */
export async function writeSeeds(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const synthetic = join(folder, "synthetic");
  await writeSyntheticGenome(synthetic, { seed: 0, scale: 0.1 });
  await writeTables(folder, synthetic);
  await writeSequences(folder);
  await writeScores(folder);
  await writeWeights(folder);
  await writeHdf5Files(folder);
  await writeOnnxModel(folder);
  await writeConfigurations(folder);
  await writeRun(join(folder, "run"), synthetic);
  await writeLeaderboard(join(folder, "leaderboard"), [join(folder, "run")], { withScores: true });
}

/** First lines of the synthetic genome's tables, its motifs, and a VCF file. */
async function writeTables(folder: string, synthetic: string): Promise<void> {
  for (const [from, to] of [
    ["elements.bed", "elements.bed"],
    ["peaks/K562.narrowPeak", "peaks.narrowPeak"],
    ["regulatory-elements.tsv", "regulatory-elements.tsv"],
    ["cell-type-peaks.tsv", "cell-type-elements.tsv"],
    ["chromatin-activity/K562_peaks.bed", "activity.bed"],
    ["merged_counts_matrix.csv", "counts.csv"],
    ["backgrounds.txt", "backgrounds.txt"],
    ["variants/african-caqtls.tsv", "african.tsv"],
    ["variants/yoruban-dsqtls.tsv", "yoruban.tsv"],
  ] as const) {
    const text = await readFile(join(synthetic, from), "utf8");
    await writeFile(join(folder, to), `${text.trimEnd().split("\n").slice(0, 8).join("\n")}\n`);
  }
  await copyFile(join(synthetic, "motifs.meme"), join(folder, "motifs.meme"));
  await writeFile(
    join(folder, "variants.vcf"),
    "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t100\trs1\tA\tC\t.\tPASS\tAF=0.1\nchr1\t200\t.\tAC\tA,ACT\t.\t.\t.\n",
  );
}

/** Genomes with their indices, reads and a signal. */
async function writeSequences(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const text = Buffer.from(fasta());
  await writeFile(at("genome.fa"), text);
  await writeFile(at("genome.fa.gz"), bgzip(text, 128));
  // Opening writes the indices.
  for (const name of ["genome.fa", "genome.fa.gz"]) await (await openGenome(at(name))).close();
  await writeFile(at("genome.2bit"), twoBit());
  await writeFile(at("reads.text"), bamText());
  const values = new Map([["chr1", Float32Array.from({ length: 400 }, (_, i) => (i % 7 === 0 ? i / 3 : 0))]]);
  await writeFile(at("signal.bw"), bigWigBytes(values));
}

async function writeScores(folder: string): Promise<void> {
  await writeFile(
    join(folder, "row-scores.tsv"),
    "idx\tseq_score\tctrl_score\n0\t-1.5\t-2\n1\t-3e0\t-4\n2\t-5\t-6.25\n",
  );
  await writeFile(join(folder, "sequence-scores.tsv"), "sequence\tlog_likelihood\nACGT\t-1.5\nGATTACA\t-9\n");
}

/** Header and index of safetensors, checkpoints of PyTorch, a ChromBPNet and folders of toys. */
async function writeWeights(folder: string): Promise<void> {
  const tensors = { a: [2, 3], "b.weight": [4] };
  let offset = 0;
  const header = Object.entries(tensors).map(([name, shape]) => {
    const start = offset;
    offset += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "F32", shape, data_offsets: [start, offset] }] as const;
  });
  await writeJson(join(folder, "safetensors.json"), {
    __metadata__: { format: "pt" },
    ...Object.fromEntries(header),
  });
  await writeJson(join(folder, "shards.json"), {
    metadata: { total_size: 40 },
    weight_map: { a: "one.safetensors", "b.weight": "one.safetensors" },
  });
  for (const name of ["nested.bin", "protocol-4.bin", "shared.bin", "views.bin"]) {
    await copyFile(join(repository, "test/golden/torch", name), join(folder, name));
  }
  await copyFile(join(repository, "toys/chrombpnet/chrombpnet.h5"), join(folder, "chrombpnet.h5"));
  for (const toy of ["hyenadna", "nucleotide-transformer", "dnabert2"]) {
    await cp(join(repository, "toys", toy), join(folder, "toys", toy), { recursive: true });
  }
}

/** The benchmark's data.h5, and stored embeddings. */
async function writeHdf5Files(folder: string): Promise<void> {
  const sequences = oneHot(["ACGTN", "GGGTA"]);
  const rows = (data: readonly number[]) => ({ type: "uint32" as const, shape: [data.length], data });
  await writeHdf5(join(folder, "data.h5"), {
    "test/seqs": sequences,
    "test/ctrls": sequences,
    "test/idxs": rows([3, 8]),
    "test/labels": rows([0, 4]),
  });
  const states = (count: number) => ({
    type: "float32" as const,
    shape: [count, 2, 3],
    data: Array.from({ length: count * 6 }, (_, i) => i / 4),
    chunks: [1, 2, 3],
  });
  await writeHdf5(join(folder, "embeddings.h5"), {
    "seq/emb_0_2": states(2),
    "seq/emb_2_3": states(1),
    "seq/idx_var": { type: "uint32", shape: [3, 4], data: [0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1] },
  });
}

/** An ONNX model with weights inside and in another file, and its card. */
async function writeOnnxModel(folder: string): Promise<void> {
  const x = input("x", "float32", ["b", 2]);
  const graph = graphOf({ y: add(matMul(x, parameter("inside", [2, 3])), parameter("outside", [3])) });
  await writeFile(
    join(folder, "model.onnx"),
    toOnnx(
      graph,
      new Map([
        ["inside", { kind: "inline", array: ndArray("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)) }],
        ["outside", { kind: "external", location: "weights.bin", offset: 0, length: 12 }],
      ]),
    ),
  );
  await writeFile(join(folder, "weights.bin"), new Float32Array(3));
  await writeJson(join(folder, "model.card.json"), {
    format: "dart-eval onnx card",
    formatVersion: 1,
    kind: "causal",
    tokenizer: { letters: { A: 7, C: 8, G: 9, T: 10, N: 11 }, unknown: 6, pad: 4, mask: 3, after: [1] },
    inputs: { ids: "input_ids" },
    outputs: { logits: "logits" },
  });
}

/** A suite, a recipe, and chromosomes of a fold. */
async function writeConfigurations(folder: string): Promise<void> {
  await writeJson(join(folder, "suite.json"), suiteFile(miniSuite()));
  await writeJson(join(folder, "recipe.json"), { epochs: 2, bias: { filters: 8 }, jitter: 10 });
  await writeJson(join(folder, "fold.json"), { train: ["chr1"], valid: ["chr2:0-100"], test: ["chr3"] });
}

const writeJson = (path: string, value: unknown) => writeFile(path, JSON.stringify(value));

/** A safetensors file with the header's text and zeros as values. */
export function safetensorsOf(header: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(40)]);
}

/** A gzip member, and the block that ends a BGZF file. */
export function bamOf(text: Uint8Array): Uint8Array {
  return Buffer.concat([gzipSync(text, { level: 1 }), bgzip(new Uint8Array(0)).subarray(-28)]);
}
