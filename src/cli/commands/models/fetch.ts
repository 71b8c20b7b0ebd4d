import { InputError } from "../../../base/errors.ts";
import { suggestion } from "../../../base/message-text.ts";
import { fetchFromHub } from "../../../models/checkpoints/hub.ts";
import { publicCheckpoint } from "../../../models/language/catalogue.ts";
import { modelNames } from "../../../models/open-model.ts";
import { type DefineCommand, examples } from "../../command.ts";
import { type Progress, startProgress } from "../../progress.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .description(
      "Downloads a published checkpoint into the Hugging Face cache, at the revision of `dart-eval models list`, and verifies the digest of every file. An interrupted download resumes.",
    )
    .argument("<model>", "a name from models list, such as hyenadna/large-1m, or its repository")
    .option("--json", "print folder and revision as JSON")
    .addHelpText(
      "after",
      examples({ "once, before the first run": "dart-eval models fetch hyenadna/large-1m" }),
    )
    .action(async (name: string, { json }: { json?: boolean }) => {
      const known = publicCheckpoint(name);
      if (known === undefined) {
        throw new InputError(`no published checkpoint is called ${JSON.stringify(name)}`, {
          hint: `${suggestion(name, modelNames())}dart-eval models list prints the names`,
        });
      }
      const { repo, revision, sha256 } = known.checkpoint;
      context.resume = "The same command resumes the download.";
      let progress: Progress | undefined;
      try {
        const snapshot = await fetchFromHub({
          repo,
          revision,
          sha256,
          signal,
          onWait: (why) => terminal.say(why),
          onProgress({ done, total }) {
            progress ??= startProgress(terminal, { unit: "bytes", total, before: done });
            progress.update(done);
          },
        });
        progress?.stop();
        terminal.print(json ? JSON.stringify(snapshot) : snapshot.folder);
      } finally {
        progress?.stop();
      }
    });
};
