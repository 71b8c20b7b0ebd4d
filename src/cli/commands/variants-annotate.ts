import { counted } from "../../base/message-text.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readVariants } from "../../datasets/variants/read.ts";
import { annotatedLines, readVariantScores } from "../../datasets/variants/scores.ts";
import { count } from "../../report/numbers.ts";
import { type DefineCommand, examples } from "../command.ts";

export const define: DefineCommand = (command, { terminal }) => {
  command
    .description(
      "Appends the scores of a run to a variant table: the columns allele1_scores and allele2_scores, or cosine_distance.",
    )
    .argument("<file>", "the evaluated table")
    .requiredOption("--scores <tsv>", "scores.tsv of a cell of the run")
    .requiredOption("--out <tsv>", "output file")
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
