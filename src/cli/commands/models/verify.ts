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
      "Compares a checkpoint's hidden states with those that the official code gave for the same weights. docs/models.md lists the checkpoints for which such states are known; of those that DART-Eval evaluated, Nucleotide Transformer v2-500m and Mistral-DNA 1.6B have none.",
    )
    .argument("<folder>", "with config.json and the weights")
    .option("--preset <name>", "which published checkpoint it is; without it, the weights' digest says")
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      examples({ "is this the model it should be": "dart-eval models verify ./hyenadna-large-1m" }),
    )
    .action(async (folder: string, { preset, json }: VerifyOptions) => {
      const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
      try {
        const checks = await verifyModel(model, preset);
        if (checks.length === 0)
          throw new InputError(`no output of the official code is known for ${folder}`);
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
