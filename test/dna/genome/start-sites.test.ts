import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readStartSites } from "../../../src/dna/genome/start-sites.ts";
import { scratchFiles } from "../../scratch-files.ts";

const folder = scratchFiles();

const gtf = (
  ...lines: readonly (readonly [chrom: string, feature: string, start: number, end: number, strand: string])[]
) =>
  lines
    .map(([chrom, feature, start, end, strand]) =>
      [chrom, "test", feature, start, end, ".", strand, ".", 'gene_id "g";'].join("\t"),
    )
    .join("\n");

const at = (start: number, end = start + 1, chrom = "chr1") => ({ chrom, start, end });

describe("GTF", () => {
  test("the site is the 5' end of a transcript, 1-based and inclusive in the file", async () => {
    const text = `#!genome\n${gtf(["chr1", "gene", 1, 9000, "+"], ["chr1", "transcript", 101, 200, "+"], ["chr1", "exon", 5, 9, "+"], ["chr2", "transcript", 101, 200, "-"])}\n`;
    const sites = await readStartSites(await folder.write("a.gtf", text));
    expect([...sites.chromosomes]).toEqual([
      ["chr1", 1],
      ["chr2", 1],
    ]);
    expect(sites.distanceTo(at(100))).toBe(0);
    expect(sites.distanceTo(at(199, 200, "chr2"))).toBe(0);
    expect(sites.distanceTo(at(90, 100))).toBe(1);
    expect(sites.distanceTo(at(101, 300))).toBe(1);
    expect(sites.distanceTo(at(0, 500))).toBe(0);
    expect(sites.distanceTo(at(0, 1, "chr3"))).toBeUndefined();
  });

  test("genes are used where the file has no transcripts; gzip is read", async () => {
    const text = gzipSync(gtf(["1", "gene", 11, 20, "-"]));
    const sites = await readStartSites(await folder.write("b.gff3.gz", text));
    expect(sites.distanceTo(at(19, 20, "1"))).toBe(0);
  });

  test("a transcript without strand is an error", async () => {
    const path = await folder.write("c.gtf", gtf(["chr1", "transcript", 1, 2, "."]));
    await expect(readStartSites(path)).rejects.toThrow(/the strand is "\."/);
  });
});

describe("BED", () => {
  test("the site is the 5' end by the strand in column 6; one base needs no strand", async () => {
    const text = "chr1\t100\t200\ta\t0\t+\nchr1\t300\t400\tb\t0\t-\nchr1\t1000\t1001\n";
    const sites = await readStartSites(await folder.write("d.bed", text));
    const distances = [100, 199, 250, 399, 950].map((start) => sites.distanceTo(at(start)));
    expect(distances).toEqual([0, 99, 149, 0, 50]);
  });

  test("a longer interval without strand is an error", async () => {
    const path = await folder.write("e.bed", "chr1\t100\t200\n");
    await expect(readStartSites(path)).rejects.toThrow(/the strand is missing/);
  });

  test("a file without sites is an error", async () => {
    await expect(readStartSites(await folder.write("f.bed", "# nothing\n"))).rejects.toThrow(
      /no transcription start sites/,
    );
  });
});
