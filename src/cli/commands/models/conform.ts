import { InvalidArgumentError, Option } from "commander";
import { type CheckResult, conform } from "../../../models/conformance/conform.ts";
import type { Model } from "../../../models/model.ts";
import { openModel } from "../../../models/open-model.ts";
import type { Device } from "../../../net/runtime/device.ts";
import {
  type Context,
  type DefineCommand,
  deviceOption,
  examples,
  wholeNumberOption,
} from "../../command.ts";
import { reportHubDownload } from "../../hub-download.ts";

interface ConformOptions {
  readonly kind?: NonNullable<Model["kind"]>;
  readonly tokens?: NonNullable<Model["tokens"]>;
  readonly longest?: number;
  readonly tolerance: number;
  readonly device: Device;
  readonly json?: boolean;
}

export const defineModelsConform: DefineCommand = (command, context) => {
  command
    .description(
      "Tests a model for common errors of adapters by consistency checks: shifted logits, scored padding or special tokens, flipped strand, off-by-one positions, mishandled N, dependence on the batch, NaN, noise, truncated sequences.",
    )
    .argument(
      "<model>",
      'as run --model takes it: "stdio:python3 adapter.py", http://…, model.onnx, a folder',
    )
    .addOption(
      new Option("--kind <kind>", "kind of likelihood, for a model that does not declare it").choices([
        "causal",
        "masked",
      ]),
    )
    .addOption(
      new Option("--tokens <tokens>", "kind of tokens, for a model that does not declare it").choices([
        "one-letter",
        "k-mer",
        "bpe",
      ]),
    )
    .option(
      "--longest <bp>",
      "an additional sequence length to test, in addition to the benchmark's windows",
      wholeNumberOption(1),
    )
    .option("--tolerance <share>", "relative difference that counts as rounding", share, 1e-4)
    .addOption(deviceOption("device of the model; auto selects the fastest"))
    .option("--json", "print the checks as JSON")
    .addHelpText(
      "after",
      examples({
        "your own adapter, before the first run": 'dart-eval models conform "stdio:python3 adapter.py"',
        "a model in half precision": "dart-eval models conform http://localhost:8000/ --tolerance 0.01",
      }),
    )
    .action((model: string, options: ConformOptions) => check(model, options, context));
};

async function check(
  spec: string,
  { kind, tokens, longest, tolerance, device, json }: ConformOptions,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const download = reportHubDownload(terminal);
  const opened = await openModel(spec, { device, signal, download }).finally(() => download.stop());
  try {
    const model: Model = Object.create(opened, {
      ...(kind === undefined ? {} : { kind: { value: kind } }),
      ...(tokens === undefined ? {} : { tokens: { value: tokens } }),
    });
    let previous: string | undefined;
    const results = await conform(model, {
      tolerance,
      signal,
      ...(longest === undefined ? {} : { longest }),
      onResult(result) {
        if (json) return;
        if (result.of !== previous)
          terminal.print(`${previous === undefined ? "" : "\n"}${model.name}, ${result.of}`);
        previous = result.of;
        terminal.print(line(result));
      },
    });
    if (json) terminal.print(JSON.stringify({ model: model.name, checks: results }, null, 2));
    const found = results.filter(({ verdict }) => verdict === "fault");
    if (found.length === 0) return;
    context.exitCode = 1;
    terminal.say(
      `\n${found.map(({ of, fault }) => `${of}: ${fault}`).join("\n")}\nScores of this model are not reliable; docs/adapters.md explains the checks.`,
    );
  } finally {
    await opened.close?.();
  }
}

const VERDICTS = { holds: "ok   ", fault: "FAULT", undecided: "–    " } as const;

const line = ({ verdict, name, fault, detail }: CheckResult) =>
  `  ${VERDICTS[verdict]} ${name.padEnd(15)} ${verdict === "fault" ? `${fault}: ` : ""}${detail}`;

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a number between 0 and 1, such as 1e-4.");
}
