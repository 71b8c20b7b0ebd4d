import { counted } from "../../../base/counted.ts";
import { checkVariants, SCORE_COLUMN, type VariantCheck } from "../../../datasets/variants/check.ts";
import type { Finding } from "../../../datasets/variants/checks/finding.ts";
import { readVariants } from "../../../datasets/variants/read.ts";
import { openGenome } from "../../../dna/genome/genome.ts";
import { count } from "../../../report/numbers.ts";
import { type Context, type DefineCommand, examples } from "../../command.ts";

interface VariantsOptions {
  readonly genome: string;
  readonly compareWith?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Holds a table of variants against a genome and names what would make scores worthless or turn their sign: chromosomes of other names, another assembly, positions counted from 0, the other strand, alleles or effects the other way round, variants twice, labels coded otherwise. Ends with 1 where something was found.",
    )
    .argument(
      "<file>",
      "African caQTLs, Yoruban dsQTLs, variant-scorer's form, chr pos allele1 allele2, or VCF",
    )
    .requiredOption("--genome <file>", "FASTA (plain or bgzip) or 2bit")
    .option(
      "--compare-with <column>",
      "a good model's differences between alleles, to find effects that are told the other way round; without it ChromBPNet's, where the table has them",
    )
    .option("--json", "print what was found as JSON")
    .addHelpText(
      "after",
      examples({
        "before the first run": "dart-eval check variants Afr.CaQTLS.tsv --genome hg38.fa",
        "a VCF file of one's own": "dart-eval check variants mine.vcf.gz --genome hg38.2bit --json",
      }),
    )
    .action((file: string, options: VariantsOptions) => check(file, options, context));
};

async function check(
  file: string,
  { genome: path, compareWith, json }: VariantsOptions,
  context: Context,
): Promise<void> {
  const { terminal } = context;
  await using genome = await openGenome(path);
  const table = await readVariants(file, { extra: compareWith === undefined ? SCORE_COLUMN : [compareWith] });
  const result = await checkVariants(table, genome, { compareWith });
  terminal.print(json ? JSON.stringify({ file, genome: path, ...result }, null, 2) : checkText(file, result));
  if (result.findings.length > 0) context.exitCode = 1;
}

function checkText(file: string, check: VariantCheck): string {
  const { allele1, allele2, neither, unknown } = check.reference;
  const classes =
    check.significant + check.controls > 0
      ? `, ${counted(check.significant, "QTL")} and ${counted(check.controls, "control")} to be evaluated`
      : "";
  const lines = [
    `${file}: ${counted(check.rows, "variant")} (${check.form})${classes}`,
    `  the genome reads allele 1 of ${count(allele1)}, allele 2 of ${count(allele2)}, neither of ${count(neither)}; ${count(unknown)} are not on it`,
    ...(check.leftOut > 0 ? [`  ${count(check.leftOut)} alternatives that are no letters are left out`] : []),
    check.comparedWith === undefined
      ? "  directions of effects were not checked: the table brings no ChromBPNet scores, and --compare-with names no others"
      : `  directions of effects were compared with ${check.comparedWith}`,
    ...(check.findings.length === 0 ? ["nothing found"] : check.findings.flatMap(findingLines)),
  ];
  return lines.join("\n");
}

const findingLines = ({ kind, what, examples: rows, fix }: Finding): readonly string[] => [
  `FOUND ${kind}: ${what}`,
  ...rows.map(({ line, text }) => `  line ${line}: ${text}`),
  `  ${fix}`,
];
