import { InputError } from "../../../base/errors.ts";
import { suggestion } from "../../../base/message-text.ts";
import { fetchFromHub, hubLicence } from "../../../models/checkpoints/hub.ts";
import { HUB_FORM, hubReference } from "../../../models/checkpoints/hub-model.ts";
import { LANGUAGE_MODELS, publicCheckpoint } from "../../../models/language/catalogue.ts";
import { LanguageModel } from "../../../models/language-model.ts";
import { modelNames } from "../../../models/open-checkpoint.ts";
import { verifyModel } from "../../../models/verify.ts";
import { type DefineCommand, examples } from "../../command.ts";
import { reportHubDownload } from "../../hub-download.ts";

export const defineModelsFetch: DefineCommand = (command, context) => {
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

interface VerifyOptions {
  readonly preset?: string;
  readonly json?: boolean;
}

export const defineModelsVerify: DefineCommand = (command, context) => {
  const { terminal } = context;
  command
    .description(
      "Compares a checkpoint's hidden states with those of the official code. docs/models.md lists the checkpoints with known states; of those that DART-Eval evaluated, Nucleotide Transformer v2-500m and Mistral-DNA 1.6B have none.",
    )
    .argument("<folder>", "folder with config.json and weights")
    .option("--preset <name>", "the published checkpoint (default: by the digest of the weights)")
    .option("--json", "print the comparison as JSON")
    .addHelpText("after", examples({ "verify a checkpoint": "dart-eval models verify ./hyenadna-large-1m" }))
    .action(async (folder: string, { preset, json }: VerifyOptions) => {
      const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
      try {
        const checks = await verifyModel(model, preset);
        if (checks.length === 0)
          throw new InputError(`no hidden states of the official code are known for ${folder}`);
        const lines = checks.map(
          ({ reference, deviation, agrees }) =>
            `${agrees ? "agrees " : "DIFFERS"} ${reference.description}: largest deviation ${deviation.toExponential(1)}, allowed ${reference.tolerance.toExponential(1)}`,
        );
        terminal.print(json ? JSON.stringify(checks, null, 2) : lines.join("\n"));
        if (!checks.every(({ agrees }) => agrees)) context.exitCode = 1;
      } finally {
        await model.close();
      }
    });
};
