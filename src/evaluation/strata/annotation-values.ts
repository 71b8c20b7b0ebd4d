import { basename } from "node:path";
import { FormatError, InputError } from "../../base/errors.ts";
import { copyText, StringPool } from "../../base/text-lines.ts";
import { readBed } from "../../dna/genome/bed.ts";
import type { Interval } from "../../dna/genome/interval.ts";
import { IntervalIndex } from "../../dna/genome/interval-index.ts";
import { readStartSites } from "../../dna/genome/start-sites.ts";
import { readMotifFamilies } from "../../dna/motifs/motif.ts";
import { intervalsOf, type OpenStratification, type RowsToStratify, withoutPositions } from "./rows.ts";

/** Edges of distances in bases: 200 and 2,000 are those of ENCODE's promoter-like and proximal elements. */
const TSS_EDGES = [200, 2000, 20_000];

/** Bases to the nearest transcription start site. @throws {FormatError} as `readStartSites` */
export async function tssDistance(path: string): Promise<OpenStratification> {
  const sites = await readStartSites(path);
  return {
    name: "tss",
    title: "bases to the nearest transcription start site",
    file: path,
    edges: TSS_EDGES,
    refuses: withoutPositions,
    async valuesOf(rows) {
      const intervals = intervalsOf(rows);
      checkSharedChromosome(path, [...sites.chromosomes.keys()], intervals);
      return { values: intervals.map((interval) => sites.distanceTo(interval)) };
    },
  };
}

/** Stratum of rows that overlap no interval of a BED file. */
const OUTSIDE = "outside";

/**
 * Column of the BED interval with the longest overlap; rows without overlap are a stratum.
 *
 * @param column  1-based; undefined: only whether a row overlaps an interval
 * @throws {FormatError} as `readBed`, or when a line lacks the column
 */
export async function bedColumn(path: string, column?: number): Promise<OpenStratification> {
  const title = column === undefined ? basename(path) : `column ${column} of ${basename(path)}`;
  const { index, texts } = await readIntervals(path, (columns) =>
    column === undefined ? "inside" : columns[column - 1],
  );
  return {
    name: column === undefined ? basename(path) : `${basename(path)}:${column}`,
    title,
    file: path,
    refuses: withoutPositions,
    async valuesOf(rows) {
      const values = overlapped(path, index, texts, rows).map((text) => text ?? OUTSIDE);
      const numbers = values.map((text) => (text === OUTSIDE ? undefined : Number(text)));
      const numeric = texts.every((text) => text.trim() !== "" && Number.isFinite(Number(text)));
      return { values: numeric ? numbers : values };
    },
  };
}

/** Strata of ENCODE's classes of candidate cis-regulatory elements, in the order of tables. */
const CCRE_CLASSES: Readonly<Record<string, string>> = {
  PLS: "promoter-like",
  pELS: "proximal enhancer-like",
  dELS: "distal enhancer-like",
  "DNase-H3K4me3": "H3K4me3 without enhancer",
  "CA-H3K4me3": "H3K4me3 without enhancer",
  "CTCF-only": "CTCF only",
  "CA-CTCF": "CTCF only",
  "CA-TF": "accessible, with TF",
  CA: "accessible only",
  TF: "TF only",
};

/**
 * ENCODE class of the cCRE with the longest overlap: promoter-like, enhancer-like, CTCF only.
 *
 * @param path  cCREs of ENCODE in BED: version 3 (ENCFF420VPZ) or 4; the column of the class is recognised
 * @throws {FormatError} when no column of the first line is a class, or a line has another class
 * @see ENCODE Project Consortium 2020, doi:10.1038/s41586-020-2493-4
 */
export async function ccreClass(path: string): Promise<OpenStratification> {
  let column = -1;
  const { index, texts } = await readIntervals(path, (columns, line) => {
    if (column < 0) column = columns.findIndex((text, i) => i > 2 && classOf(text) !== undefined);
    if (column < 0) {
      throw new FormatError(
        { file: path, line },
        "no column has a class of cCREs",
        `expected one of ${Object.keys(CCRE_CLASSES).join(", ")}; for other classes use --by ${basename(path)}:COLUMN`,
      );
    }
    const found = classOf(columns[column] ?? "");
    if (found !== undefined) return found;
    throw new FormatError(
      { file: path, line },
      `${JSON.stringify((columns[column] ?? "").slice(0, 40))} in column ${column + 1} is not a class of cCREs`,
    );
  });
  return {
    name: "ccre-class",
    title: "ENCODE class of the cCRE",
    file: path,
    order: [...new Set(Object.values(CCRE_CLASSES)), OUTSIDE],
    refuses: withoutPositions,
    async valuesOf(rows) {
      return { values: overlapped(path, index, texts, rows).map((text) => text ?? OUTSIDE) };
    },
  };
}

/** `PLS,CTCF-bound` is a promoter-like element. */
function classOf(text: string): string | undefined {
  const [name] = text.split(",", 1);
  return Object.hasOwn(CCRE_CLASSES, name) ? CCRE_CLASSES[name] : undefined;
}

/** Intervals of a BED file with a text for each. */
async function readIntervals(
  path: string,
  textOf: (columns: readonly string[], line: number) => string | undefined,
) {
  const pool = new StringPool();
  const intervals: Interval[] = [];
  const texts: string[] = [];
  for await (const { chrom, start, end, columns, line } of readBed(path)) {
    const text = textOf(columns, line);
    if (text === undefined) {
      throw new FormatError(
        { file: path, line },
        `the line has ${columns.length} columns; expected the column to use`,
        `name it: --by ${basename(path)}:COLUMN`,
      );
    }
    intervals.push({ chrom: pool.intern(chrom), start, end });
    texts.push(pool.intern(text));
  }
  if (intervals.length === 0) throw new FormatError({ file: path }, "the file has no intervals");
  return { index: new IntervalIndex(intervals), texts };
}

/** Text of the interval that each row overlaps most. */
function overlapped(
  path: string,
  index: IntervalIndex,
  texts: readonly string[],
  rows: RowsToStratify,
): readonly (string | undefined)[] {
  const intervals = intervalsOf(rows);
  checkSharedChromosome(path, index.chromosomes, intervals);
  return intervals.map((interval) => {
    const found = index.bestOverlap(interval);
    return found === undefined ? undefined : texts[found];
  });
}

/** @throws {InputError} when the file has none of the rows' chromosomes, as with other names */
function checkSharedChromosome(
  file: string,
  names: readonly string[],
  rows: readonly Pick<Interval, "chrom">[],
): void {
  const known = new Set(names);
  if (rows.length === 0 || rows.some(({ chrom }) => known.has(chrom))) return;
  throw new InputError(
    `the file has none of the rows' chromosomes: it has ${names.slice(0, 5).join(", ")}, the rows begin with ${rows[0].chrom}`,
    { place: { file }, hint: 'names must be equal: "5" is not "chr5"' },
  );
}

/** Family of a motif's transcription factor, from an annotation of motifs or from the run. */
export async function tfFamily(path: string | undefined): Promise<OpenStratification> {
  const families = path === undefined ? undefined : await readMotifFamilies(path);
  return {
    name: "tf-family",
    title: "family of the transcription factor",
    file: path,
    refuses({ predictions }) {
      if (predictions.factTexts("motif") === undefined) return "its rows have no motifs";
      return families === undefined && predictions.factTexts("family") === undefined
        ? "its motifs have no families: give an annotation with --families"
        : undefined;
    },
    async valuesOf({ predictions }) {
      const [motif, family] = ["motif", "family"].map((name) => predictions.factReader(name));
      const values = Array.from({ length: predictions.length }, (_, i) =>
        families === undefined ? family(i) : families.get(String(motif(i))),
      );
      if (values.some((value) => value !== undefined)) return { values };
      throw new InputError("the annotation covers none of the motifs", {
        place: { file: path ?? "" },
        hint: `the rows begin with ${copyText(String(motif(0)))}`,
      });
    },
  };
}
