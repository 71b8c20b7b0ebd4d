import { InputError } from "../../../base/errors.ts";
import { LANGUAGE_MODELS } from "../../../models/language/catalogue.ts";
import { LanguageModel } from "../../../models/language-model.ts";
import { verifyModel } from "../../../models/verify.ts";
import { type DefineCommand, examples } from "../../command.ts";

interface VerifyOptions {
  readonly preset?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
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
          ({ anchor, deviation, agrees }) =>
            `${agrees ? "agrees " : "DIFFERS"} ${anchor.of}: largest deviation ${deviation.toExponential(1)}, allowed ${anchor.tolerance.toExponential(1)}`,
        );
        terminal.print(json ? JSON.stringify(checks, null, 2) : lines.join("\n"));
        if (!checks.every(({ agrees }) => agrees)) context.exitCode = 1;
      } finally {
        await model.close();
      }
    });
};
