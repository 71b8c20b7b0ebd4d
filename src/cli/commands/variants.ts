import { Option } from "commander";
import { counted } from "../../base/message-text.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { EffectFavours } from "../../datasets/variants/forms.ts";
import { readVariants } from "../../datasets/variants/read.ts";
import {
  annotatedLines,
  linesOfRows,
  readVariantScores,
  scoresOfColumn,
} from "../../datasets/variants/scores.ts";
import { openGenome } from "../../dna/genome/genome.ts";
import { count } from "../../report/numbers.ts";
import { type DefineCommand, examples, OutputFileOption, shellWord } from "../command.ts";

export const defineVariants: DefineCommand = (command, context) => {
  command.description("Converts scores between variant tables and runs of task 5.");
  defineVariantsAnnotate(
    command.command("annotate").summary("add a run's scores to a variant table"),
    context,
  );
  defineVariantsColumn(
    command.command("column").summary("write a score column of a variant table as a model's scores"),
    context,
  );
};

const defineVariantsAnnotate: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Appends the scores of a run to a variant table: the columns allele1_scores and allele2_scores, or cosine_distance.",
    )
    .argument("<file>", "the evaluated table")
    .requiredOption("--scores <tsv>", "scores.tsv of a cell of the run")
    .addOption(new OutputFileOption("--out <tsv>", "output file").makeOptionMandatory())
    .addHelpText(
      "after",
      examples({
        "a table with one model's scores":
          "dart-eval variants annotate Afr.CaQTLS.tsv --scores runs/hyenadna/7f3a91c2/scores.tsv --out scored.tsv",
      }),
    )
    .action(async (file: string, { scores: path, out }: { scores: string; out: string }) => {
      const table = await readVariants(file);
      const scores = await readVariantScores(path, table);
      await writeFileAtomic(out, annotatedLines(table, scores));
      const without = table.rows.length - scores.rows.size;
      terminal.say(
        `wrote ${out}: ${counted(table.rows.length, "variant")} with ${scores.columns.join(", ")}${without > 0 ? `; ${count(without)} of them have no score` : ""}`,
      );
    });
};

interface ColumnOptions {
  readonly column: string;
  readonly favours?: EffectFavours;
  readonly genome?: string;
  readonly out: string;
  readonly table?: string;
}

const defineVariantsColumn: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Writes a score column of a variant table, such as ChromBPNet's log fold changes, as a score table. `run` evaluates it as a model's predicted activities, in the setting predicted.",
    )
    .argument("<file>", "variant table")
    .requiredOption("--column <name>", "column with the differences between alleles")
    .addOption(
      new Option(
        "--favours <allele>",
        "allele with the higher activity where the score is positive (default: as for the table's effects)",
      ).choices(["allele1", "allele2", "alternative"]),
    )
    .option("--genome <file>", "FASTA (plain or bgzip) or 2bit, to find the alternative allele")
    .addOption(new OutputFileOption("--out <tsv>", "output file for the scores").makeOptionMandatory())
    .addOption(
      new OutputFileOption(
        "--table <tsv>",
        "output file for the table without rows that lack a score, which a run cannot evaluate; the scores are numbered by its rows",
      ),
    )
    .addHelpText(
      "after",
      examples({
        "ChromBPNet on the African set as published (then run with --protocol paper)":
          "dart-eval variants column Afr.CaQTLS.tsv --column chrombpnet.encsr000emt.variantscore.logfc --favours allele2 --out chrombpnet.tsv",
        "on the Yoruban set as published, whose scores and effects favour allele 1":
          "dart-eval variants column yoruban.dsqtls.benchmarking.tsv --column pred.chrombpnet.encsr000emt.varscore.logfc --out chrombpnet.tsv",
        "on the African set, scores of the alternative allele (then run with --protocol corrected)":
          "dart-eval variants column Afr.CaQTLS.tsv --column chrombpnet.encsr000emt.variantscore.logfc --genome hg38.fa --out chrombpnet.tsv",
      }),
    )
    .action(async (file: string, { column, favours, genome: path, out, table: fewer }: ColumnOptions) => {
      const table = await readVariants(file, { extra: [column] });
      await using genome = path === undefined ? undefined : await openGenome(path);
      const scoreFavours = favours ?? table.favours;
      const { lines, scored } = await scoresOfColumn(table, column, scoreFavours, {
        ...(genome === undefined ? {} : { genome }),
        numberedBy: fewer === undefined ? "table" : "scored",
      });
      await writeFileAtomic(out, lines.join(""));
      if (fewer !== undefined) await writeFileAtomic(fewer, linesOfRows(file, scored));
      const without = table.rows.length - scored.length;
      terminal.say(
        `wrote ${out}: ${counted(scored.length, "variant")}, a positive ${column} favouring ${scoreFavours === "alternative" ? "the alternative allele" : scoreFavours}${without > 0 ? `; ${count(without)} rows without a score are left out` : ""}`,
      );
      if (without > 0 && fewer === undefined) {
        terminal.say(
          "note: a run evaluates every row of its table; --table FILE writes one without these rows",
        );
        return;
      }
      const family = /chrombpnet/i.test(column) ? ",family=chrombpnet" : "";
      const model = shellWord(`scores:answers=activity${family},${out}`);
      terminal.say(
        `next: dart-eval run --task variant-effects --setting predicted --data ${shellWord(fewer ?? file)} --genome GENOME --model ${model} --protocol ${protocolFor(scoreFavours, table.favours)} --out FOLDER`,
      );
    });
};

/**
 * The protocol that leaves the sign of a column as declared: only `corrected` turns effects to the
 * alternative allele.
 */
function protocolFor(scoreFavours: EffectFavours, effects: EffectFavours): "paper" | "corrected" | "both" {
  if (effects !== "alternative") return "both";
  return scoreFavours === "alternative" ? "corrected" : "paper";
}
