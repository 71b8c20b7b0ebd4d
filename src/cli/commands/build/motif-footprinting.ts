import { InputError } from "../../../base/errors.ts";
import { asSoleWriter } from "../../../base/file-lock.ts";
import { expectWritableFile } from "../../../base/folder.ts";
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
import { type Context, type DefineCommand, examples, shellWord, wholeNumberOption } from "../../command.ts";

interface FootprintingOptions {
  readonly motifs: string;
  readonly backgrounds?: string;
  readonly elements?: string;
  readonly genome?: string;
  readonly backgroundsOut?: string;
  readonly seed: number;
  readonly out: string;
}

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .summary("the sequences of task 2 from a file of motifs")
    .description(
      "Puts the consensus of every motif, and its letters shuffled, into neutral backgrounds: sequences of a file of your own, or shuffled controls of task 1 as the original took them.",
    )
    .requiredOption(
      "--motifs <meme>",
      "motifs in MEME's text format, such as HOCOMOCO's H12CORE; gzip is fine",
    )
    .option("--backgrounds <txt>", "neutral sequences of one length, one per line")
    .option("--elements <tsv>", "or the table of task 1, whose controls are taken")
    .option("--genome <file>", "its genome, FASTA or 2bit")
    .option("--backgrounds-out <txt>", "where to write the backgrounds that were taken")
    .option("--seed <number>", "seed of the shuffles", wholeNumberOption(0), 0)
    .requiredOption("--out <tsv>", "where to write the sequences")
    .addHelpText(
      "after",
      examples({
        "as published":
          "dart-eval build motif-footprinting --motifs H12CORE_meme_format.meme --elements elements.tsv --genome hg38.fa --out footprints.tsv",
        "with backgrounds of your own":
          "dart-eval build motif-footprinting --motifs H12CORE_meme_format.meme --backgrounds raw_seqs_350.txt --out footprints.tsv",
      }),
    )
    .action(async (options: FootprintingOptions) => {
      for (const file of [options.out, options.backgroundsOut]) {
        if (file !== undefined) await expectWritableFile(file);
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
    throw new InputError("backgrounds come from one place", {
      hint: "give --backgrounds FILE, or both --elements TABLE and --genome FILE",
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

/** Whether the build has the published inputs and seed, so that it makes the published sequences. */
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
