import { lowerBound } from "../../base/binary-search.ts";
import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { forEachLine, StringPool } from "../../base/text-lines.ts";
import { type BedRow, readBed } from "./bed.ts";
import type { Interval } from "./interval.ts";

/** Transcription start sites of a genome. */
export interface StartSites {
  /** Number of distinct sites of each chromosome. */
  readonly chromosomes: ReadonlyMap<string, number>;
  /**
   * Bases from an interval to the nearest site: 0 if it contains one, 1 if one adjoins it.
   * @returns undefined for a chromosome without sites
   */
  distanceTo(interval: Interval): number | undefined;
}

/**
 * Reads transcription start sites: the 5' end of each transcript of a GTF or GFF3 file, of each gene if the
 * file has no transcripts, or of each interval of a BED file by its strand in column 6. A BED interval of one
 * base needs no strand.
 *
 * @param path  ends in .gtf, .gff or .gff3 for annotation, else BED; plain or compressed
 * @throws {FormatError} naming the line when it is malformed or a strand is missing, or when there are no
 *         sites
 */
export async function readStartSites(path: string): Promise<StartSites> {
  const sites = /\.(gtf|gff3?)(\.b?gz)?$/i.test(path) ? await annotatedSites(path) : await bedSites(path);
  if (sites.size > 0) return startSites(sites);
  throw new FormatError(
    { file: path },
    "the file has no transcription start sites",
    "expected lines of the feature transcript or gene in GTF or GFF3, or intervals in BED",
  );
}

/** 0-based positions by chromosome. */
type SitesByChromosome = Map<string, number[]>;

const STRANDS = ["+", "-"];

/** Features whose 5' end is a start site, by preference. */
const FEATURES = [["transcript", "mRNA"], ["gene"]];

async function annotatedSites(path: string): Promise<SitesByChromosome> {
  const found = FEATURES.map((): SitesByChromosome => new Map());
  const names = new StringPool();
  await forEachLine(path, (text, line) => {
    if (text === "" || text.startsWith("#")) return;
    const fields = text.split("\t", 7);
    const level = FEATURES.findIndex((features) => features.includes(fields[2]));
    if (fields.length < 7) throw notAnnotation(path, line, fields.length);
    if (level < 0) return;
    const place = { file: path, line };
    const start = parseWholeNumber(fields[3], "start", place, 1);
    const end = parseWholeNumber(fields[4], "end", place, start);
    if (!STRANDS.includes(fields[6])) throw noStrand(path, line, fields[6], "the seventh column");
    add(found[level], names.intern(fields[0]), fields[6] === "+" ? start - 1 : end - 1);
  });
  return found.find((sites) => sites.size > 0) ?? new Map();
}

const notAnnotation = (file: string, line: number, fields: number) =>
  new FormatError(
    { file, line },
    `the line has ${fields} fields; expected nine of GTF or GFF3`,
    "fields are separated by tabs; a BED file is recognised by its name",
  );

const noStrand = (file: string, line: number, strand: string | undefined, where: string) =>
  new FormatError(
    { file, line },
    `the strand is ${strand === undefined ? "missing" : JSON.stringify(strand.slice(0, 40))}; expected + or - in ${where}`,
    "the strand determines which end is the start site",
  );

async function bedSites(path: string): Promise<SitesByChromosome> {
  const sites: SitesByChromosome = new Map();
  for await (const row of readBed(path)) add(sites, row.chrom, bedSite(path, row));
  return sites;
}

function bedSite(path: string, { start, end, columns, line }: BedRow): number {
  const strand = columns[5];
  if (strand === "-") return end - 1;
  if (strand === "+" || end - start === 1) return start;
  throw noStrand(path, line, strand, "column 6");
}

function add(sites: SitesByChromosome, chrom: string, site: number): void {
  const same = sites.get(chrom);
  if (same === undefined) sites.set(chrom, [site]);
  else same.push(site);
}

function startSites(sites: SitesByChromosome): StartSites {
  const sorted = new Map(
    [...sites].map(([chrom, found]) => [chrom, Float64Array.from(new Set(found)).sort()]),
  );
  return {
    chromosomes: new Map([...sorted].map(([chrom, found]) => [chrom, found.length])),
    distanceTo({ chrom, start, end }) {
      const found = sorted.get(chrom);
      if (found === undefined) return undefined;
      const next = lowerBound(found, start);
      const after = next < found.length ? Math.max(found[next] - end + 1, 0) : Number.POSITIVE_INFINITY;
      const before = next > 0 ? start - found[next - 1] : Number.POSITIVE_INFINITY;
      return Math.min(before, after);
    },
  };
}
