import { Option } from "commander";
import { InputError } from "../../../base/errors.ts";
import { checkWritableFolder } from "../../../base/folder.ts";
import { counted } from "../../../base/message-text.ts";
import { CELL_LINES, type CellLine } from "../../../datasets/cell-lines.ts";
import {
  BUILD_PARTS,
  type BuildPart,
  buildCellTypeElements,
  filesOfBuild,
} from "../../../datasets/cell-type-elements/build.ts";
import { deseq2 } from "../../../datasets/cell-type-elements/differential.ts";
import { readCellTypeElements } from "../../../datasets/cell-type-elements/table.ts";
import { count } from "../../../report/numbers.ts";
import { type DefineCommand, examples, shellWord, wholeNumberOption } from "../../command.ts";

interface CellTypeOptions {
  readonly peaks: readonly string[];
  readonly bam: readonly string[];
  readonly counts?: string;
  readonly out: string;
  readonly subsetSize: number;
  readonly last: BuildPart;
  readonly rscript: string;
}

export const defineBuildCellTypeElements: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .command("cell-type-elements")
    .summary("build the table of task 3 from peaks and reads of five cell lines")
    .description(
      "Builds the table of elements that are accessible in one cell line only: consensus peaks, reads per peak, differential accessibility with DESeq2 (requires R), peaks significant in one line. An interrupted build resumes in the same folder.",
    )
    .option("--peaks <narrowPeak...>", "peaks, one file per cell line, plain or gzip", [])
    .option("--bam <LINE=file...>", "aligned reads, one file per replicate: GM12878=rep1.bam", [])
    .option("--counts <csv>", "or a count table: peak, then one column per sample, named like GM12878_1")
    .requiredOption("--out <folder>", "output folder")
    .option(
      "--subset-size <peaks>",
      "number of peaks per cell line for clustering",
      wholeNumberOption(1),
      5000,
    )
    .addOption(new Option("--last <step>", "last step to run").choices(BUILD_PARTS).default("subset"))
    .option("--rscript <program>", "program that runs R scripts", "Rscript")
    .addHelpText(
      "after",
      examples({
        "from peaks and reads":
          "dart-eval build cell-type-elements --peaks GM12878.narrowPeak HEPG2.narrowPeak IMR90.narrowPeak K562.narrowPeak H1ESC.narrowPeak --bam GM12878=g1.bam GM12878=g2.bam GM12878=g3.bam HEPG2=h1.bam … --out task3",
        "from a count table":
          "dart-eval build cell-type-elements --counts merged_counts_matrix.csv --out task3",
      }),
    )
    .action(async ({ peaks, bam, counts, out, subsetSize, last, rscript }: CellTypeOptions) => {
      context.resume = "Run the same command again to resume.";
      await checkWritableFolder(out);
      await buildCellTypeElements({
        folder: out,
        peaks,
        ...(bam.length === 0 ? {} : { bams: bamsByLine(bam) }),
        ...(counts === undefined ? {} : { counts }),
        differential: deseq2(rscript),
        subsetSize,
        last,
        signal,
        onNote: (text) => terminal.say(`  ${text}`),
        onStep: (what, outcome) => terminal.say(outcome === "begun" ? what : `  ${OUTCOME_TEXT[outcome]}`),
      });
      if (last !== "table" && last !== "subset") return;
      const { table, subset } = filesOfBuild(out);
      const rows = await readCellTypeElements(table);
      const ofLine = CELL_LINES.map(
        (line) => `${line} ${count(rows.filter(({ label }) => label === line).length)}`,
      );
      terminal.say(`wrote ${table}: ${counted(rows.length, "element")} (${ofLine.join(", ")})`);
      const clustered = last === "subset" ? ` --data ${shellWord(`subset=${subset}`)}` : "";
      terminal.say(
        `next: dart-eval run --task cell-type-elements --data ${shellWord(`elements=${table}`)}${clustered} --genome GENOME --model MODEL --setting probed --out FOLDER`,
      );
    });
};

const OUTCOME_TEXT = { made: "done", kept: "already done" } as const;

/** Parses `GM12878=rep1.bam`: files by cell line, in the order given. */
function bamsByLine(given: readonly string[]): ReadonlyMap<CellLine, readonly string[]> {
  const bams = new Map<CellLine, string[]>();
  for (const text of given) {
    const at = text.indexOf("=");
    const line = CELL_LINES.find((one) => one === text.slice(0, at));
    if (line === undefined) {
      throw new InputError(`${JSON.stringify(text)} does not begin with a cell line`, {
        hint: `write LINE=file, with one of ${CELL_LINES.join(", ")}`,
      });
    }
    bams.set(line, [...(bams.get(line) ?? []), text.slice(at + 1)]);
  }
  return bams;
}
