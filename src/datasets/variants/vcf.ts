import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { copyText, forEachLine } from "../../base/text-lines.ts";
import {
  checkAllele,
  LONGEST_ALLELE,
  type ReadVariantsOptions,
  type VariantRow,
  type VariantTable,
} from "./table.ts";

/** Columns that every line of a VCF file has before QUAL, FILTER and INFO, which are not read. */
const COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT"];

/** Whether a file is VCF, by its first line. */
export function isVcf(firstLine: string): boolean {
  return firstLine.startsWith("##fileformat=VCF") || firstLine.startsWith("#CHROM\t");
}

/**
 * Variants of a VCF file, plain or bgzip: allele 1 is REF, allele 2 one of ALT. A line of several alternatives gives as many
 * rows. Alternatives are left out and counted where they or REF are no bases (`<DEL>`, `*`, breakends, `.`) or more than 1,000.
 *
 * @throws {FormatError} naming the line where it is no VCF, or a column other than those of VCF is asked for
 * @see The Variant Call Format Specification, VCFv4.3, section 1.6
 */
export async function readVcf(path: string, { extra = [] }: ReadVariantsOptions = {}): Promise<VariantTable> {
  if (!(extra instanceof RegExp) && extra.length > 0) {
    throw new FormatError(
      { file: path },
      `a VCF file has no column ${JSON.stringify(extra[0])}`,
      "scores are read from tables with a header",
    );
  }
  const rows: VariantRow[] = [];
  let headerSeen = false;
  let leftOut = 0;
  await forEachLine(path, (text, line) => {
    const place = { file: path, line };
    if (text === "" || text.startsWith("##")) return;
    if (!headerSeen) {
      const found = text.split("\t").slice(0, COLUMNS.length);
      if (found.join() !== COLUMNS.join()) {
        throw new FormatError(
          place,
          `the header is ${JSON.stringify(text.slice(0, 60))}`,
          `a line ${COLUMNS.join(", ")}, … stands before the variants, separated by tabs`,
        );
      }
      headerSeen = true;
      return;
    }
    const [chrom, position, id, reference, alternatives] = text.split("\t", COLUMNS.length) as string[];
    if (!chrom || alternatives === undefined) {
      throw new FormatError(place, "the line has fewer than 5 fields", "fields are separated by tabs");
    }
    for (const alternative of alternatives.split(",")) {
      if (isNoAllele(reference!) || isNoAllele(alternative)) {
        leftOut++;
        continue;
      }
      rows.push({
        index: rows.length,
        line,
        chrom: copyText(chrom),
        position: parseWholeNumber(position!, "POS", place, 1, 2 ** 32) - 1,
        allele1: copyText(checkAllele(reference!, "REF", place)),
        allele2: copyText(checkAllele(alternative, "ALT", place)),
        id: id === "." ? undefined : copyText(id!),
      });
    }
  });
  if (!headerSeen) throw new FormatError({ file: path }, "there is no line #CHROM, POS, ID, REF, ALT");
  return {
    path,
    form: "vcf",
    columns: { chrom: "CHROM", position: "POS", allele1: "REF", allele2: "ALT", id: "ID" },
    favours: "allele2",
    rows,
    labels: new Map(),
    leftOut,
    extra: new Map(),
  };
}

/** What VCF allows for an allele and no window can show: a symbol, a place holder, a breakend, or a long insertion. */
const isNoAllele = (text: string) => !/^[A-Za-z]+$/.test(text) || text.length > LONGEST_ALLELE;

/** A string of its own: one cut from a line would keep the file's text in memory. */
