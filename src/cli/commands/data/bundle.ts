import { InputError } from "../../../base/errors.ts";
import { counted } from "../../../base/message-text.ts";
import { unpackBundle, writeBundle } from "../../../datasets/sources/bundle.ts";
import { bytes } from "../../../report/numbers.ts";
import {
  type DefineCommand,
  dataFolderOption,
  examples,
  OutputFileOption,
  shellWord,
} from "../../command.ts";
import { type Progress, startProgress } from "../../progress.ts";

interface BundleOptions {
  readonly data: string;
  readonly out: string;
  readonly with: readonly string[];
}

export const defineDataBundle: DefineCommand = (command, { terminal, signal }) => {
  dataFolderOption(
    command.description(
      "Packs the data folder, and other folders on request, into one tar archive with a manifest of digests, for machines without a network.",
    ),
  )
    .addOption(new OutputFileOption("--out <tar>", "output archive").makeOptionMandatory())
    .option("--with <name=folder...>", "other folders to include, such as checkpoints", [])
    .addHelpText(
      "after",
      examples({
        "data and a checkpoint":
          "dart-eval data bundle --data /data/dart-eval --with models/hyenadna=./hyenadna-large-1m --out dart-eval.tar",
        "on the other machine": "dart-eval data unpack dart-eval.tar --data /data/dart-eval",
      }),
    )
    .action(async ({ data, out, with: folders }: BundleOptions) => {
      const more: Record<string, string> = {};
      for (const text of folders) {
        const at = text.indexOf("=");
        const name = text.slice(0, at);
        if (at < 1 || name in more) {
          throw new InputError(`--with ${text}: expected name=folder with distinct names`);
        }
        more[name] = text.slice(at + 1);
      }
      let progress: Progress | undefined;
      try {
        const files = await writeBundle(data, out, {
          more,
          signal,
          onProgress(done, total) {
            progress ??= startProgress(terminal, { unit: "bytes", total, before: done });
            progress.update(done);
          },
        });
        progress?.stop();
        const total = files.reduce((sum, file) => sum + file.bytes, 0);
        terminal.say(`wrote ${out}: ${counted(files.length, "file")}, ${bytes(total)}`);
        terminal.say(`next, on the other machine: dart-eval data unpack ${shellWord(out)} --data FOLDER`);
      } finally {
        progress?.stop();
      }
    });
};

export const defineDataUnpack: DefineCommand = (command, context) => {
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
