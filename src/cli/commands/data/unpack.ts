import { counted } from "../../../base/message-text.ts";
import { unpackBundle } from "../../../datasets/sources/bundle.ts";
import { type DefineCommand, dataFolderOption, examples } from "../../command.ts";
import { type Progress, startProgress } from "../../progress.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  dataFolderOption(
    command
      .description(
        "Unpacks an archive of data bundle into the data folder. Every file is checked by its digest before it gets its name; nothing outside the folder is touched.",
      )
      .argument("<tar>", "the archive"),
  )
    .addHelpText(
      "after",
      examples({ "on arrival": "dart-eval data unpack dart-eval.tar --data /data/dart-eval" }),
    )
    .action(async (bundle: string, { data }: { data: string }) => {
      context.resume = "What was unpacked is kept; the same command goes on from there.";
      let progress: Progress | undefined;
      try {
        const files = await unpackBundle(bundle, data, {
          signal,
          onProgress(done, total) {
            progress ??= startProgress(terminal, { unit: "bytes", total });
            progress.update(done);
          },
        });
        progress?.stop();
        terminal.say(`unpacked ${counted(files.length, "file")} into ${data}, every one as its digest says`);
      } finally {
        progress?.stop();
      }
    });
};
