import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { copyText, forEachLine } from "../../base/text-lines.ts";
import {
  checkAllele,
  MAX_ALLELE_LENGTH,
  type ReadVariantsOptions,
  type VariantRow,
  type VariantTable,
} from "./table.ts";

/** First columns of a VCF file; QUAL, FILTER and INFO are not read. */
const COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT"];

/** True if this is the first line of a VCF file. */
export function isVcf(firstLine: string): boolean {
  return firstLine.startsWith("##fileformat=VCF") || firstLine.startsWith("#CHROM\t");
}

/**
 * Reads the variants of a VCF file, plain or bgzip: allele 1 is REF, allele 2 is ALT, with one row per
 * alternative. Alternatives are left out, and counted, if they or REF are not bases (`<DEL>`, `*`, breakends,
 * `.`) or longer than 1,000.
 *
 * @throws {FormatError} naming the line when the file is not VCF, or when extra columns are requested
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
      checkHeader(text, place);
      headerSeen = true;
      return;
    }
    const [chrom, position, id, reference, alternatives] = text.split("\t", COLUMNS.length);
    if (!chrom || alternatives === undefined) {
      throw new FormatError(place, "the line has fewer than 5 fields", "fields are separated by tabs");
    }
    for (const alternative of alternatives.split(",")) {
      if (!isAllele(reference) || !isAllele(alternative)) {
        leftOut++;
        continue;
      }
      rows.push({
        index: rows.length,
        line,
        chrom: copyText(chrom),
        position: parseWholeNumber(position, "POS", place, 1, 2 ** 32) - 1,
        allele1: copyText(checkAllele(reference, "REF", place)),
        allele2: copyText(checkAllele(alternative, "ALT", place)),
        id: id === "." ? undefined : copyText(id),
      });
    }
  });
  if (!headerSeen) throw new FormatError({ file: path }, "there is no header line #CHROM, POS, ID, REF, ALT");
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

function checkHeader(text: string, place: { readonly file: string; readonly line: number }): void {
  const found = text.split("\t").slice(0, COLUMNS.length);
  if (found.join() === COLUMNS.join()) return;
  throw new FormatError(
    place,
    `the header is ${JSON.stringify(text.slice(0, 60))}`,
    `expected ${COLUMNS.join(", ")}, … separated by tabs`,
  );
}

/** True unless VCF's text is symbolic, a placeholder, a breakend or too long. */
const isAllele = (text: string) => /^[A-Za-z]+$/.test(text) && text.length <= MAX_ALLELE_LENGTH;
