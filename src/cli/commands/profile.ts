import { Option } from "commander";
import { heldMemory } from "../../base/held-memory.ts";
import { openModel } from "../../models/open-model.ts";
import { type PassCost, type Profile, profileModel } from "../../models/profiling/profile.ts";
import { DEVICES, type Device } from "../../net/runtime/device.ts";
import { bytes, count, duration } from "../../report/numbers.ts";
import { type Context, type DefineCommand, examples } from "../command.ts";
import { wholeNumber } from "../whole-number.ts";

interface ProfileOptions {
  readonly batch: number;
  readonly length: number;
  readonly repeats: number;
  readonly forward?: boolean;
  readonly device: Device;
  readonly threads?: number;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Times a model forward and backward as DART-Eval's profiling does: a classifier with one output on top, all weights trained, sequences of the chromatin task's length. Of a model of another kind, what it is asked.",
    )
    .argument("<model>", "as run --model takes it: a folder, hyenadna/large-1m, model.onnx, http://…")
    .option("--batch <n>", "sequences per batch (the original: 16)", wholeNumber(1), 4)
    .option("--length <bp>", "bases of a sequence", wholeNumber(1), 2114)
    .option(
      "--repeats <n>",
      "batches that are timed each way, after one (the original: 100)",
      wholeNumber(1),
      3,
    )
    .option("--forward", "the forward pass alone")
    .addOption(
      new Option("--device <device>", "where it computes; auto takes the fastest there is")
        .choices(DEVICES)
        .default("cpu"),
    )
    .option("--threads <n>", "threads of the processor; one per core where it is not said", wholeNumber(1))
    .option("--json", "print the figures as JSON, with the original's names")
    .addHelpText(
      "after",
      examples({
        "what a checkpoint costs at 350 bases": "dart-eval profile ./checkpoint --length 350",
        "at the original's sizes": "dart-eval profile hyenadna/large-1m --batch 16 --repeats 100",
      }),
    )
    .action((model: string, options: ProfileOptions) => measure(model, options, context));
};

async function measure(text: string, options: ProfileOptions, { terminal, signal }: Context): Promise<void> {
  const { batch, length, repeats, device, threads, json } = options;
  const program = { device, ...(threads === undefined ? {} : { threads }) };
  const model = await openModel(text, { ...program, trainChromosomes: [], signal });
  try {
    const available = process.availableMemory() + (await heldMemory());
    const profile = await profileModel(model, {
      ...{ batch, length, repeats, available, program, signal },
      directions: options.forward ? ["forward"] : ["forward", "backward"],
      onProgress: (what) => terminal.say(what),
    });
    if (json) terminal.print(JSON.stringify(asOriginal(profile), null, 2));
    else for (const line of lines(profile)) terminal.print(line);
  } finally {
    await model.close?.();
  }
}

/** The keys that DART-Eval's profiling writes, times in seconds and memory in bytes, then what it does not write. */
function asOriginal({ model, computes, parameters, batch, length, forward, backward }: Profile) {
  const named = (prefix: string, cost: PassCost) => ({
    [`${prefix}_mem_mean`]: cost.memory.mean,
    [`${prefix}_mem_std`]: cost.memory.std,
    [`${prefix}_time_mean`]: cost.seconds.mean,
    [`${prefix}_time_std`]: cost.seconds.std,
  });
  const beside = (cost: PassCost) => ({
    repeats: cost.repeats,
    processorSeconds: cost.processorSeconds,
    hoursPerMillion: hoursPerMillion(cost.seconds.mean, batch),
    processorHoursPerMillion: hoursPerMillion(cost.processorSeconds.mean, batch),
  });
  return {
    num_params: parameters ?? null,
    ...named("fwd", forward),
    ...(backward === undefined ? {} : named("bwd", backward)),
    ...{ model, computes, batch, length },
    forward: beside(forward),
    ...(backward === undefined ? {} : { backward: beside(backward) }),
  };
}

const hoursPerMillion = (seconds: number, batch: number) => (1e6 * seconds) / batch / 3600;

function lines({
  model,
  computes,
  parameters,
  batch,
  length,
  forward,
  backward,
}: Profile): readonly string[] {
  const head = [
    `${model}: ${computes}`,
    ...(parameters === undefined ? [] : [`  parameters  ${count(parameters)}`]),
    `  a batch     ${batch} × ${count(length)} bases`,
  ];
  const pass = (name: string, { repeats, seconds, processorSeconds, memory }: PassCost) => [
    `${name}, ${repeats} ${repeats === 1 ? "batch" : "batches"}`,
    `  time        ${threeDigits(seconds.mean)} ± ${threeDigits(seconds.std)} s, of all threads ${threeDigits(processorSeconds.mean)} s`,
    `  memory      ${bytes(memory.mean)} ± ${bytes(memory.std)} at most, of the whole process`,
    `  a million   ${duration((1e6 * seconds.mean) / batch)}, of all threads ${duration((1e6 * processorSeconds.mean) / batch)}`,
  ];
  return [
    ...head,
    ...pass("forward", forward),
    ...(backward === undefined ? [] : pass("backward, with the forward pass in it", backward)),
  ];
}

const threeDigits = (value: number) => String(Number(value.toPrecision(3)));
