import { InputError } from "../../../base/errors.ts";
import { suggestion } from "../../../base/message-text.ts";
import { fetchFromHub, hubLicence } from "../../../models/checkpoints/hub.ts";
import { HUB_FORM, hubReference } from "../../../models/checkpoints/hub-model.ts";
import { publicCheckpoint } from "../../../models/language/catalogue.ts";
import { modelNames } from "../../../models/open-model.ts";
import { type DefineCommand, examples } from "../../command.ts";
import { reportHubDownload } from "../../hub-download.ts";

export const define: DefineCommand = (command, context) => {
  const { terminal, signal } = context;
  command
    .description(
      "Downloads a checkpoint into the Hugging Face cache and verifies the digest of every file: a published one at the revision of `dart-eval models list`, or any repository. An interrupted download resumes.",
    )
    .argument(
      "<model>",
      "a name from models list, such as hyenadna/large-1m, its repository, or hf:ORGANISATION/NAME[@REVISION]",
    )
    .option("--json", "print folder, revision and licence as JSON")
    .addHelpText(
      "after",
      examples({
        "once, before the first run": "dart-eval models fetch hyenadna/large-1m",
        "any repository": "dart-eval models fetch hf:PoetschLab/GROVER",
      }),
    )
    .action(async (name: string, { json }: { json?: boolean }) => {
      const source: Source = HUB_FORM.test(name) ? hubReference(name) : publishedSource(name);
      context.resume = "The same command resumes the download.";
      const { onWait, onProgress, onLicence, stop } = reportHubDownload(terminal);
      try {
        const snapshot = await fetchFromHub({ ...source, signal, onWait, onProgress });
        const licence = HUB_FORM.test(name)
          ? await hubLicence({ repo: source.repo, revision: snapshot.revision })
          : source.licence;
        onLicence?.(source.repo, licence);
        terminal.print(json ? JSON.stringify({ ...snapshot, licence }) : snapshot.folder);
      } finally {
        stop();
      }
    });
};

interface Source {
  readonly repo: string;
  readonly revision: string;
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  readonly licence?: string;
}

function publishedSource(name: string): Source {
  const known = publicCheckpoint(name);
  if (known === undefined) {
    throw new InputError(`no published checkpoint is called ${JSON.stringify(name)}`, {
      hint: `${suggestion(name, modelNames())}dart-eval models list prints the names; hf:ORGANISATION/NAME is any repository`,
    });
  }
  const { card, checkpoint } = known;
  const { repo, revision, sha256 } = checkpoint;
  return { repo, revision, sha256, licence: card.licence };
}
