import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pcg64 } from "../src/base/pcg64.ts";
import { openGenome } from "../src/dna/genome/genome.ts";
import { bgzip } from "../test/dna/genome/bgzip-writer.ts";
import type { Figure } from "./measure.ts";

const BASES = 30_000_000;
const LINE = 60;
const WINDOWS = 2_000;
const ROUNDS = 3;

/** Reading a genome from a file in the page cache: the index, whole chromosomes, single windows. */
export async function benchmark(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-bench-"));
  try {
    const fasta = randomFasta();
    const [plain, compressed] = [join(folder, "plain.fa"), join(folder, "compressed.fa.gz")];
    await writeFile(plain, fasta);
    await writeFile(compressed, bgzip(fasta));
    return [...(await figuresOf("FASTA", plain)), ...(await figuresOf("bgzip FASTA", compressed))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function figuresOf(format: string, path: string): Promise<Figure[]> {
  const data = `${BASES / 1e6} Mb in lines of ${LINE}, best of ${ROUNDS}`;
  const indexing = await bestSeconds(async () => {
    await Promise.all(["fai", "gzi"].map((index) => rm(`${path}.${index}`, { force: true })));
    await (await openGenome(path)).close();
  });
  const reading = await bestSeconds(async () => {
    await using genome = await openGenome(path);
    await genome.chromosome("chr1");
  });
  const windows = await bestSeconds(async () => {
    await using genome = await openGenome(path);
    for (let i = 0; i < WINDOWS; i++) {
      const start = i * Math.floor(BASES / WINDOWS);
      await genome.sequence({ chrom: "chr1", start, end: start + 350 });
    }
  });
  return [
    { name: `${format}, making the index`, value: BASES / 1e6 / indexing, unit: "Mb/s", data },
    { name: `${format}, a whole chromosome`, value: BASES / 1e6 / reading, unit: "Mb/s", data },
    {
      name: `${format}, windows one by one from the file`,
      value: WINDOWS / windows,
      unit: "windows/s",
      data: `${WINDOWS} windows of 350 bp spread over ${data}`,
    },
  ];
}

async function bestSeconds(work: () => Promise<void>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

function randomFasta(): Uint8Array {
  const rng = new Pcg64(1);
  const header = Buffer.from(">chr1\n");
  const bytes = Buffer.alloc(header.length + BASES + BASES / LINE);
  header.copy(bytes);
  for (let base = 0, at = header.length; base < BASES; base++) {
    bytes[at++] = "ACGT".charCodeAt(rng.nextUint32() & 3);
    if (base % LINE === LINE - 1) bytes[at++] = 10;
  }
  return bytes;
}
