import { counted } from "../../../base/message-text.ts";
import { unpackBundle } from "../../../datasets/sources/bundle.ts";
import { type DefineCommand, dataFolderOption, examples } from "../../command.ts";
import { type Progress, startProgress } from "../../progress.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  dataFolderOption(
    command
      .description(
        "Unpacks an archive of data bundle to the data folder. Verifies every file by its digest, and writes nothing outside of the folder.",
      )
      .argument("<tar>", "the archive"),
  )
    .addHelpText(
      "after",
      examples({ "on the other machine": "dart-eval data unpack dart-eval.tar --data /data/dart-eval" }),
    )
    .action(async (bundle: string, { data }: { data: string }) => {
      context.resume = "Run the same command again to resume.";
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
        terminal.say(`unpacked ${counted(files.length, "file")} into ${data}; all digests match`);
      } finally {
        progress?.stop();
      }
    });
};
