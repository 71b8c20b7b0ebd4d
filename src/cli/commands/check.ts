import { Option } from "commander";
import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import {
  checkVariants,
  leftOutText,
  SCORE_COLUMN,
  type VariantCheck,
} from "../../datasets/variants/check.ts";
import type { Finding, FindingLevel } from "../../datasets/variants/checks/finding.ts";
import type { EffectFavours } from "../../datasets/variants/forms.ts";
import { readVariants } from "../../datasets/variants/read.ts";
import { openGenome } from "../../dna/genome/genome.ts";
import { count } from "../../report/numbers.ts";
import { type Context, type DefineCommand, examples } from "../command.ts";

interface VariantsOptions {
  readonly genome: string;
  readonly compareWith?: string;
  readonly compareFavours?: EffectFavours;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const defineCheckVariants: DefineCommand = (command, context) => {
  command
    .description(
      "Checks a table of variants against a genome for errors that invalidate scores or flip their sign: chromosome names, assembly, positions, strand, allele order, effects (direction, sign, rows, unit), labels, p-values, duplicates. Findings are errors, warnings or notes; the exit code is 1 if there is an error.",
    )
    .argument(
      "<file>",
      "African caQTLs, Yoruban dsQTLs, variant-scorer's form, chr pos allele1 allele2, or VCF",
    )
    .requiredOption("--genome <file>", "FASTA (plain or bgzip) or 2bit")
    .option(
      "--compare-with <column>",
      "column with allele differences of a reliable model, to check directions and signs of effects (default: ChromBPNet's scores, if the table has them)",
    )
    .addOption(
      new Option(
        "--compare-favours <allele>",
        "allele with the higher activity where that column is positive (default: as for the effects of the table's format)",
      ).choices(["allele1", "allele2", "alternative"]),
    )
    .option("--strict", "treat warnings as errors")
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      examples({
        "before the first run": "dart-eval check variants Afr.CaQTLS.tsv --genome hg38.fa",
        "your own scores, allele 2 − allele 1":
          "dart-eval check variants Afr.CaQTLS.tsv --genome hg38.fa --compare-with my.logfc --compare-favours allele2",
        "your own VCF file": "dart-eval check variants mine.vcf.gz --genome hg38.2bit --json",
      }),
    )
    .action((file: string, options: VariantsOptions) => check(file, options, context));
};

async function check(file: string, options: VariantsOptions, context: Context): Promise<void> {
  const { genome: path, compareWith, compareFavours, strict, json } = options;
  const { terminal } = context;
  await using genome = await openGenome(path);
  const table = await readVariants(file, { extra: compareWith === undefined ? SCORE_COLUMN : [compareWith] });
  if (compareFavours !== undefined && table.extra.size === 0) {
    throw new InputError(
      "--compare-favours needs a column of scores, and the table has no ChromBPNet scores",
      {
        hint: "name the column with --compare-with",
      },
    );
  }
  const found = await checkVariants(table, genome, { compareWith, compareFavours });
  const findings = strict ? found.findings.map(asStrict) : found.findings;
  const result = { ...found, findings };
  terminal.print(json ? JSON.stringify({ file, genome: path, ...result }, null, 2) : checkText(file, result));
  if (findings.some(({ level }) => level === "error")) context.exitCode = 1;
}

const asStrict = (finding: Finding): Finding =>
  finding.level === "warning" ? { ...finding, level: "error" } : finding;

function checkText(file: string, check: VariantCheck): string {
  const { allele1, allele2, neither, unknown } = check.reference;
  const classes =
    check.significant + check.controls > 0
      ? `, ${counted(check.significant, "evaluated QTL")} and ${counted(check.controls, "evaluated control")}`
      : "";
  const lines = [
    `${file}: ${counted(check.rows, "variant")} (${check.form})${classes}`,
    `  the reference is allele 1 of ${count(allele1)}, allele 2 of ${count(allele2)}, neither of ${count(neither)}; the genome lacks the chromosome of ${count(unknown)}`,
    ...(check.leftOut > 0 ? [`  ${leftOutText(check.leftOut)}`] : []),
    check.comparedWith === undefined
      ? "  directions and signs of effects not checked: the table has no ChromBPNet scores, and --compare-with names no others"
      : `  directions and signs of effects compared with ${check.comparedWith}`,
    ...check.findings.flatMap(findingLines),
    summary(check.findings),
  ];
  return lines.join("\n");
}

const findingLines = ({ kind, level, what, examples: rows, fix }: Finding): readonly string[] => [
  `${level.toUpperCase()} ${kind}: ${what}`,
  ...rows.map(({ line, text }) => `  line ${line}: ${text}`),
  `  ${fix}`,
];

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return "nothing found";
  const of = (level: FindingLevel) => findings.filter((finding) => finding.level === level).length;
  return `${counted(of("error"), "error")}, ${counted(of("warning"), "warning")}, ${counted(of("note"), "note")}`;
}

export const defineCheck: DefineCommand = (command, context) => {
  command.description("Checks a table for errors before scoring.");
  defineCheckVariants(command.command("variants").summary("check a table of variants"), context);
};
