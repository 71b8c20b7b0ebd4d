import { InvalidArgumentError, Option } from "commander";
import { type CheckResult, conform } from "../../../models/conformance/conform.ts";
import type { Model } from "../../../models/model.ts";
import { openModel } from "../../../models/open-model.ts";
import { DEVICES, type Device } from "../../../net/runtime/device.ts";
import { type Context, type DefineCommand, examples, wholeNumberOption } from "../../command.ts";

interface ConformOptions {
  readonly kind?: NonNullable<Model["kind"]>;
  readonly tokens?: NonNullable<Model["tokens"]>;
  readonly longest?: number;
  readonly tolerance: number;
  readonly device: Device;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Asks a model things whose answers are tied to each other, and names the classic faults of adapters: shifted logits, padding or special tokens scored, the strand flipped, letters off by one, N mishandled, answers that depend on the batch, NaN, noise, long sequences cut.",
    )
    .argument(
      "<model>",
      'as run --model takes it: "stdio:python3 adapter.py", http://…, model.onnx, a folder',
    )
    .addOption(
      new Option("--kind <kind>", "what its likelihoods are, where it does not say").choices([
        "causal",
        "masked",
      ]),
    )
    .addOption(
      new Option("--tokens <tokens>", "what it reads letters as, where it does not say").choices([
        "one-letter",
        "k-mer",
        "bpe",
      ]),
    )
    .option(
      "--longest <bp>",
      "a length to be asked for, besides the benchmark's windows",
      wholeNumberOption(1),
    )
    .option("--tolerance <share>", "difference that counts as rounding, relative to the score", share, 1e-4)
    .addOption(
      new Option("--device <device>", "where a model computes; auto takes the fastest there is")
        .choices(DEVICES)
        .default("auto"),
    )
    .option("--json", "print what each check found as JSON")
    .addHelpText(
      "after",
      examples({
        "an adapter of one's own, before the first run":
          'dart-eval models conform "stdio:python3 adapter.py"',
        "a model that computes in half precision":
          "dart-eval models conform http://localhost:8000/ --tolerance 0.01",
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
  const opened = await openModel(spec, { device, signal });
  try {
    const model: Model = Object.create(opened, {
      ...(kind === undefined ? {} : { kind: { value: kind } }),
      ...(tokens === undefined ? {} : { tokens: { value: tokens } }),
    });
    let question: string | undefined;
    const results = await conform(model, {
      tolerance,
      signal,
      ...(longest === undefined ? {} : { longest }),
      onResult(result) {
        if (json) return;
        if (result.of !== question)
          terminal.print(`${question === undefined ? "" : "\n"}${model.name}, ${result.of}`);
        question = result.of;
        terminal.print(line(result));
      },
    });
    if (json) terminal.print(JSON.stringify({ model: model.name, checks: results }, null, 2));
    const found = results.filter(({ verdict }) => verdict === "fault");
    if (found.length === 0) return;
    context.exitCode = 1;
    terminal.say(
      `\n${found.map(({ of, fault }) => `${of}: ${fault}`).join("\n")}\nNumbers of this model cannot be trusted; docs/adapters.md says what each check looks at.`,
    );
  } finally {
    await opened.close?.();
  }
}

const WORDS = { holds: "ok   ", fault: "FAULT", undecided: "–    " } as const;

const line = ({ verdict, name, fault, detail }: CheckResult) =>
  `  ${WORDS[verdict]} ${name.padEnd(15)} ${verdict === "fault" ? `${fault}: ` : ""}${detail}`;

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a number between 0 and 1, such as 1e-4.");
}
