import { InputError } from "../../../base/errors.ts";
import { asSoleWriter } from "../../../base/file-lock.ts";
import { checkWritableFile } from "../../../base/folder.ts";
import { counted } from "../../../base/message-text.ts";
import {
  backgroundRows,
  readBackgrounds,
  writeBackgrounds,
} from "../../../datasets/motif-footprinting/backgrounds.ts";
import { writeFootprints } from "../../../datasets/motif-footprinting/footprint-file.ts";
import { buildFootprints } from "../../../datasets/motif-footprinting/footprints.ts";
import { readRegulatoryElements } from "../../../datasets/regulatory-elements/table.ts";
import { fileOrigin, recordBuilt } from "../../../datasets/sources/origin.ts";
import { openGenome } from "../../../dna/genome/genome.ts";
import { readMotifs } from "../../../dna/motifs/meme.ts";
import { regulatoryElements } from "../../../evaluation/tasks/regulatory-elements/regulatory-elements.ts";
import {
  type Context,
  type DefineCommand,
  examples,
  OutputFileOption,
  shellWord,
  wholeNumberOption,
} from "../../command.ts";

interface FootprintingOptions {
  readonly motifs: string;
  readonly backgrounds?: string;
  readonly elements?: string;
  readonly genome?: string;
  readonly backgroundsOut?: string;
  readonly seed: number;
  readonly out: string;
}

export const defineBuildMotifFootprinting: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .command("motif-footprinting")
    .summary("build the sequences of task 2 from a motif file")
    .description(
      "Inserts the consensus of every motif, and its shuffled copy, into neutral backgrounds: your own sequences, or shuffled controls of task 1 as in DART-Eval.",
    )
    .requiredOption(
      "--motifs <meme>",
      "motifs in MEME text format, such as HOCOMOCO's H12CORE, plain or gzip",
    )
    .option("--backgrounds <txt>", "neutral sequences of one length, one per line")
    .option("--elements <tsv>", "or the table of task 1, whose controls are the backgrounds")
    .option("--genome <file>", "the genome of --elements: FASTA (plain or bgzip) or 2bit")
    .addOption(new OutputFileOption("--backgrounds-out <txt>", "output file for the backgrounds"))
    .option("--seed <number>", "seed of the shuffles", wholeNumberOption(0), 0)
    .addOption(new OutputFileOption("--out <tsv>", "output file").makeOptionMandatory())
    .addHelpText(
      "after",
      examples({
        "as published":
          "dart-eval build motif-footprinting --motifs H12CORE_meme_format.meme --elements elements.tsv --genome hg38.fa --out footprints.tsv",
        "with your own backgrounds":
          "dart-eval build motif-footprinting --motifs H12CORE_meme_format.meme --backgrounds raw_seqs_350.txt --out footprints.tsv",
      }),
    )
    .action(async (options: FootprintingOptions) => {
      for (const file of [options.out, options.backgroundsOut]) {
        if (file !== undefined) await checkWritableFile(file);
      }
      const { motifs } = await readMotifs(options.motifs);
      const backgrounds = await backgroundsOf(options, context);
      if (options.backgroundsOut !== undefined) await writeBackgrounds(options.backgroundsOut, backgrounds);
      let sequences = 0;
      function* passing() {
        for (const line of buildFootprints(backgrounds, motifs, { seed: options.seed })) {
          signal.throwIfAborted();
          sequences++;
          yield line;
        }
      }
      await asSoleWriter(options.out, async () => {
        await writeFootprints(options.out, passing());
        if (await isAsPublished(options)) {
          await recordBuilt(options.out, "motifs", "dart-eval build motif-footprinting");
        }
      });
      terminal.say(
        `wrote ${options.out}: ${counted(sequences, "sequence")}, ${counted(motifs.length, "motif")} in ${counted(backgrounds.length, "background")}`,
      );
      terminal.say(
        `next: dart-eval run --task motif-footprinting --data ${shellWord(options.out)} --model MODEL --out FOLDER`,
      );
    });
};

async function backgroundsOf(
  { backgrounds, elements, genome }: FootprintingOptions,
  { terminal }: Context,
): Promise<readonly string[]> {
  const fromTask = elements !== undefined || genome !== undefined;
  if (backgrounds !== undefined && !fromTask) return readBackgrounds(backgrounds);
  if (backgrounds !== undefined || elements === undefined || genome === undefined) {
    throw new InputError("expected one source of backgrounds", {
      hint: "use --backgrounds FILE, or both --elements TABLE and --genome FILE",
    });
  }
  const table = await readRegulatoryElements(elements);
  const rows = backgroundRows(table.length);
  if (rows.length < 100) {
    terminal.say(
      `the table has ${counted(table.length, "element")}, which ${table.length === 1 ? "gives" : "give"} ${rows.length} of 100 backgrounds`,
    );
  }
  await using opened = await openGenome(genome);
  const task = await regulatoryElements.open({ elements: table, genome: opened }, { seed: 0 });
  const examples = await task.examples(Uint32Array.from(rows));
  return examples.map(({ sequences }) => sequences[1]);
}

/** True if inputs and seed are the published ones. */
async function isAsPublished({
  motifs,
  backgrounds,
  elements,
  genome,
  seed,
}: FootprintingOptions): Promise<boolean> {
  const isSource = async (path: string | undefined, name: string) =>
    path !== undefined && (await fileOrigin(path)).source === name;
  if (seed !== 0 || !(await isSource(motifs, "motifs"))) return false;
  if (backgrounds !== undefined) return isSource(backgrounds, "footprint-backgrounds");
  return (await isSource(elements, "ccres")) && (await isSource(genome, "hg38"));
}
