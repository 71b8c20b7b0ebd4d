import { describe, expect, test } from "vitest";
import { genomeInMemory, openGenome } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { bgzip } from "./bgzip-writer.ts";

const folder = scratchFiles();
process.env.DART_EVAL_CACHE = folder.path("cache");

const maskOf = (bases: string) => Uint8Array.from(bases, (base) => (base === base.toLowerCase() ? 1 : 0));

describe("the soft mask", () => {
  const bases = "ACGTnnacgtACGTNNacgT".repeat(7);

  test("is 1 at bases in lower case, in FASTA and in memory", async () => {
    const fasta = `>chr1 test\n${bases.match(/.{1,13}/g)!.join("\r\n")}\r\n>chr2\nACGT\n`;
    const plain = await folder.write("plain.fa", fasta);
    const packed = await folder.write("packed.fa.gz", bgzip(Buffer.from(fasta), 50));
    for (const genome of [
      await openGenome(plain),
      await openGenome(packed),
      genomeInMemory(
        "memory",
        new Map([
          ["chr1", bases],
          ["chr2", "ACGT"],
        ]),
      ),
    ]) {
      expect(await genome.softMask("chr1")).toEqual(maskOf(bases));
      expect(await genome.softMask("chr2")).toEqual(new Uint8Array(4));
      await expect(genome.softMask("chr3")).rejects.toThrow(/no sequence "chr3"/);
      await genome.close();
    }
  });

  testWithSharedData(
    "of 2bit equals that of the same bases in FASTA",
    "formats/twobit/test.2bit",
    async (path) => {
      await using twoBit = await openGenome(path);
      await using fasta = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
      const from = 19_178_139 - 16_050_000;
      const length = twoBit.chromosomes.get("chr22")!;
      const bases = await twoBit.sequence({ chrom: "chr22", start: 0, end: length });
      expect(await fasta.sequence({ chrom: "chr22", start: from, end: from + length })).toBe(bases);
      const mask = (await fasta.softMask("chr22")).slice(from, from + length);
      expect(await twoBit.softMask("chr22")).toEqual(mask);
      expect(new Set(mask)).toEqual(new Set([0, 1]));
    },
  );
});
