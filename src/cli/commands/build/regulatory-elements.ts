import { InputError } from "../../../base/errors.ts";
import { asSoleWriter } from "../../../base/file-lock.ts";
import { checkWritableFile } from "../../../base/folder.ts";
import { counted } from "../../../base/message-text.ts";
import { buildRegulatoryElements } from "../../../datasets/regulatory-elements/build.ts";
import { writeRegulatoryElements } from "../../../datasets/regulatory-elements/table.ts";
import { fileOrigin, recordBuilt } from "../../../datasets/sources/origin.ts";
import {
  type DefineCommand,
  examples,
  OutputFileOption,
  shellWord,
  wholeNumberOption,
} from "../../command.ts";

interface ElementsOptions {
  readonly ccres: string;
  readonly out: string;
  readonly inputSize: number;
  readonly maxJitter: number;
}

/** Bases of the published windows. */
const INPUT_SIZE = 350;

export const defineBuildRegulatoryElements: DefineCommand = (command, context) => {
  const { terminal } = context;
  command
    .command("regulatory-elements")
    .summary("build the table of task 1 from a BED file of elements")
    .description(
      "Builds the table of regulatory elements: a window around each element of a BED file, and its strand.",
    )
    .requiredOption(
      "--ccres <bed>",
      "candidate cis-regulatory elements, such as ENCODE's ENCFF420VPZ, plain or gzip",
    )
    .addOption(new OutputFileOption("--out <tsv>", "output file").makeOptionMandatory())
    .option("--input-size <bp>", "window length", wholeNumberOption(1), INPUT_SIZE)
    .option("--max-jitter <bp>", "maximum random shift of a window, to either side", wholeNumberOption(0), 0)
    .addHelpText(
      "after",
      examples({
        "as published": "dart-eval build regulatory-elements --ccres ENCFF420VPZ.bed.gz --out elements.tsv",
        "with the defaults of DART-Eval's script":
          "dart-eval build regulatory-elements --ccres ENCFF420VPZ.bed --out elements.tsv --input-size 2114 --max-jitter 500",
      }),
    )
    .action(async ({ ccres, out, inputSize, maxJitter }: ElementsOptions) => {
      await checkWritableFile(out);
      let elements = 0;
      async function* passing() {
        for await (const row of buildRegulatoryElements(ccres, { inputSize, maxJitter })) {
          context.signal.throwIfAborted();
          elements++;
          yield row;
        }
        if (elements === 0) throw new InputError("the file has no elements", { place: { file: ccres } });
      }
      await asSoleWriter(out, async () => {
        await writeRegulatoryElements(out, passing());
        const asPublished = inputSize === INPUT_SIZE && maxJitter === 0;
        if (asPublished && (await fileOrigin(ccres)).source === "ccres") {
          await recordBuilt(out, "ccres", "dart-eval build regulatory-elements");
        }
      });
      terminal.say(`wrote ${out}: ${counted(elements, "element")}`);
      terminal.say(
        `next: dart-eval run --task regulatory-elements --data ${shellWord(out)} --genome GENOME --model MODEL --out FOLDER`,
      );
    });
};
