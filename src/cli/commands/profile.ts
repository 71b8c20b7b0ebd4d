import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { anonymousMemory } from "../../base/process.ts";
import { withoutUndefined } from "../../base/record.ts";
import { ACTIVITY_WINDOW, readActivityWindows } from "../../datasets/chromatin-activity/windows.ts";
import { openGenome } from "../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../dna/genome/interval.ts";
import { modelSequenceOf, windowCodes } from "../../dna/sequence/encoding.ts";
import { openModel } from "../../models/open-model.ts";
import { type PassCost, type Profile, profileModel } from "../../models/profiling/profile.ts";
import type { Device } from "../../net/runtime/device.ts";
import { bytes, count, duration } from "../../report/numbers.ts";
import { type Context, type DefineCommand, deviceOption, examples, wholeNumberOption } from "../command.ts";
import { reportHubDownload } from "../hub-download.ts";

interface ProfileOptions {
  readonly batch: number;
  readonly length?: number;
  readonly warmup: number;
  readonly repeats?: number;
  readonly peaks?: string;
  readonly genome?: string;
  readonly forward?: boolean;
  readonly device: Device;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Kind of memory, in text and JSON. */
const MEMORY = "peak resident memory of the process, weights and runtime included";

const DIFFERENCES = `Differences from DART-Eval's profiling:
  memory  ${MEMORY}, without GPU memory.
          On Linux it is reset before each batch; elsewhere it is the peak since the process began.
          DART-Eval: peak GPU memory of PyTorch (torch.cuda.max_memory_allocated).
  order   forward, then backward, because the runtime keeps the memory of the backward pass;
          DART-Eval: backward first.
As in DART-Eval: the backward pass is a forward pass with dropout and the gradients of the summed
outputs, without an optimizer step; tokenization is timed; a last partial batch is left out;
standard deviations are those of the population.
`;

export const defineProfile: DefineCommand = (command, context) => {
  command
    .description(
      "Measures a model's time and memory, forward and backward, as DART-Eval's profiling does: a classifier with one output on top, gradients of all weights, sequences of Task 4's length. A model without a classifier is measured on its embeddings, likelihoods or activity.",
    )
    .argument("<model>", "as for run --model: a folder, hyenadna/large-1m, model.onnx, http://…")
    .option("--batch <n>", "sequences per batch (DART-Eval: 16)", wholeNumberOption(1), 4)
    .option("--length <bp>", `bases per sequence (default: ${ACTIVITY_WINDOW})`, wholeNumberOption(1))
    .option(
      "--warmup <n>",
      "warm-up batches per direction, not recorded (DART-Eval: 100)",
      wholeNumberOption(0),
      1,
    )
    .option(
      "--repeats <n>",
      "recorded batches per direction (default: all of --peaks, as DART-Eval, or 3 random ones)",
      wholeNumberOption(1),
    )
    .option(
      "--peaks <file>",
      "table of Task 4 whose windows are the sequences, in its order (DART-Eval: GM12878; default: random sequences)",
    )
    .option("--genome <file>", "genome of the peaks: FASTA (plain or bgzip) or 2bit")
    .option("--forward", "only the forward pass")
    .addOption(deviceOption("device of the model; auto selects the fastest").default("cpu"))
    .option("--threads <n>", "CPU threads (default: one per core)", wholeNumberOption(1))
    .option("--json", "print the measurements as JSON, with DART-Eval's keys")
    .addHelpText(
      "after",
      examples({
        "a checkpoint at 350 bases": "dart-eval profile ./checkpoint --length 350",
        "the batches that DART-Eval recorded":
          "dart-eval profile hyenadna/large-1m --batch 16 --warmup 100 --peaks GM12878_peaks.bed --genome hg38.fa --json",
      }),
    )
    .addHelpText("after", DIFFERENCES)
    .action((model: string, options: ProfileOptions) => measure(model, options, context));
};

async function measure(text: string, options: ProfileOptions, { terminal, signal }: Context): Promise<void> {
  const { batch, warmup, repeats, device, threads, json } = options;
  const sequences = await sequencesOf(options);
  const length = options.length ?? ACTIVITY_WINDOW;
  const program = { device, ...(threads === undefined ? {} : { threads }) };
  const download = reportHubDownload(terminal);
  const model = await openModel(text, { ...program, signal, download }).finally(() => download.stop());
  try {
    const available = process.availableMemory() + (await anonymousMemory());
    const profile = await profileModel(model, {
      batch,
      length,
      warmup,
      available,
      program,
      signal,
      ...withoutUndefined({ repeats, sequences }),
      directions: options.forward ? ["forward"] : ["forward", "backward"],
      onProgress: (what) => terminal.say(what),
    });
    const source = options.peaks ?? "random";
    if (json) terminal.print(JSON.stringify(asOriginal(profile, source), null, 2));
    else for (const line of lines(profile, source)) terminal.print(line);
  } finally {
    await model.close?.();
  }
}

/**
 * Reads the windows of a table of peaks, in its order, as many as are run.
 * @throws {InputError} when options contradict each other, or a window is outside of the genome
 */
async function sequencesOf({
  peaks,
  genome: path,
  length = ACTIVITY_WINDOW,
  batch,
  warmup,
  repeats,
}: ProfileOptions): Promise<readonly string[] | undefined> {
  if (peaks === undefined && path === undefined) return undefined;
  if (peaks === undefined || path === undefined) {
    throw new InputError("--peaks and --genome must be used together", {
      hint: "leave both out to time random sequences",
    });
  }
  if (length !== ACTIVITY_WINDOW) {
    throw new InputError(`--length is ${length}, but windows of peaks have ${ACTIVITY_WINDOW} bases`, {
      hint: "leave --length out, or leave --peaks and --genome out to time random sequences",
    });
  }
  const all = await readActivityWindows(peaks);
  const windows = repeats === undefined ? all : all.slice(0, (warmup + repeats) * batch);
  const genome = await openGenome(path);
  try {
    const sequences = new Array<string>(windows.length);
    for (const chrom of new Set(windows.map((row) => row.chrom))) {
      if (!genome.chromosomes.has(chrom)) {
        throw missingChromosomeError(chrom, genome.chromosomes.keys(), { file: peaks });
      }
      const bases = await genome.chromosome(chrom);
      windows.forEach(({ chrom: own, start, end }, i) => {
        if (own !== chrom) return;
        sequences[i] = modelSequenceOf(windowCodes(bases, start, end));
      });
    }
    return sequences;
  } finally {
    await genome.close();
  }
}

/** JSON with the keys of DART-Eval's profiling (seconds and bytes), then our own. */
function asOriginal(
  { model, computes, parameters, batch, length, warmup, forward, backward }: Profile,
  sequences: string,
) {
  const named = (prefix: string, cost: PassCost) => ({
    [`${prefix}_mem_mean`]: cost.memory.mean,
    [`${prefix}_mem_std`]: cost.memory.std,
    [`${prefix}_time_mean`]: cost.seconds.mean,
    [`${prefix}_time_std`]: cost.seconds.std,
  });
  const details = (cost: PassCost) => ({
    repeats: cost.repeats,
    processorSeconds: cost.processorSeconds,
    hoursPerMillion: hoursPerMillion(cost.seconds.mean, batch),
    processorHoursPerMillion: hoursPerMillion(cost.processorSeconds.mean, batch),
  });
  return {
    num_params: parameters ?? null,
    ...named("fwd", forward),
    ...(backward === undefined ? {} : named("bwd", backward)),
    model,
    computes,
    batch,
    length,
    warmup,
    sequences,
    memory: MEMORY,
    forward: details(forward),
    ...(backward === undefined ? {} : { backward: details(backward) }),
  };
}

const hoursPerMillion = (seconds: number, batch: number) => (1e6 * seconds) / batch / 3600;

function lines(
  { model, computes, parameters, batch, length, warmup, forward, backward }: Profile,
  sequences: string,
): readonly string[] {
  const head = [
    `${model}: ${computes}`,
    ...(parameters === undefined ? [] : [`  parameters  ${count(parameters)}`]),
    `  a batch     ${batch} × ${count(length)} bases, ${sequences === "random" ? "random" : `from ${sequences}`}`,
    `  warm-up     ${counted(warmup, "batch", "batches")} per direction, not recorded`,
    `  memory      ${MEMORY}`,
  ];
  const pass = (name: string, { repeats, seconds, processorSeconds, memory }: PassCost) => [
    `${name}, ${counted(repeats, "batch", "batches")}`,
    `  time        ${threeDigits(seconds.mean)} ± ${threeDigits(seconds.std)} s, of all threads ${threeDigits(processorSeconds.mean)} s`,
    `  memory      ${bytes(memory.mean)} ± ${bytes(memory.std)}`,
    `  a million   ${duration((1e6 * seconds.mean) / batch)}, of all threads ${duration((1e6 * processorSeconds.mean) / batch)}`,
  ];
  return [
    ...head,
    ...pass("forward", forward),
    ...(backward === undefined ? [] : pass("backward, including the forward pass", backward)),
  ];
}

const threeDigits = (value: number) => String(Number(value.toPrecision(3)));
