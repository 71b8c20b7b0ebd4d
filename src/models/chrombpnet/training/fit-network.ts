import type { NdArray } from "../../../net/arrays/array.ts";
import { add, input, mul, reduceSum } from "../../../net/graph/build.ts";
import { initialValues } from "../../../net/nn/init.ts";
import { logCountError, multinomialError } from "../../../net/nn/losses.ts";
import type { TrainingKind } from "../../../net/runtime/device.ts";
import type { ProgramOptions } from "../../../net/runtime/program.ts";
import { RUN_LIMITS } from "../../../net/runtime/session-memory.ts";
import type { BatchPart, ExampleOrder, ExampleSource } from "../../../net/train/batches.ts";
import { type FitResult, fitEpochs } from "../../../net/train/fit.ts";
import type { FitEvent } from "../../../net/train/fit-state.ts";
import type { Tally } from "../../../net/train/validation.ts";
import { type BpnetSizes, bpnet, bpnetOutputs, withBias } from "../bpnet.ts";
import type { StoredBpnet } from "../keras-bpnet.ts";
import { ADAM_EPSILON, type ChrombpnetRecipe } from "./recipe.ts";

export interface NetworkTraining {
  /** "bias" or "accessibility" */
  readonly name: string;
  readonly sizes: BpnetSizes;
  /** A frozen bias network, whose prediction is added. */
  readonly frozenBias?: StoredBpnet;
  readonly countsWeight: number;
  readonly training: ExampleSource<readonly BatchPart[]>;
  readonly validation: ExampleSource;
  readonly order: ExampleOrder;
  readonly recipe: ChrombpnetRecipe;
  readonly folder: string;
  /** Everything else that determines the result, as JSON-serialisable data. */
  readonly identity: unknown;
  readonly program?: ProgramOptions;
  readonly onProgress?: (event: FitEvent) => void;
  readonly signal?: AbortSignal;
}

/** Approximate limit of bytes for the values of one part of a batch on the CPU. */
const PART_BYTES = 3e9;

/**
 * Maximum number of regions per part. The backward pass needs three tensors of each block: its state, the
 * windows of its convolution, which are the largest, and the output of its ReLU.
 */
export function rowsPerPart(
  { inputLength, filters, dilatedLayers }: BpnetSizes,
  device: TrainingKind,
): number {
  const values = inputLength * filters * (5 * dilatedLayers + 6);
  const { run, tensor } = device === "cpu" ? { ...RUN_LIMITS.cpu, run: PART_BYTES } : RUN_LIMITS[device];
  const rows = Math.min(run / (4 * values), tensor / (4 * 3 * inputLength * filters));
  return Math.max(1, Math.floor(rows));
}

export interface TrainedNetwork extends Pick<FitResult, "history" | "best"> {
  readonly network: StoredBpnet;
}

/**
 * Trains one network. The loss is the multinomial negative log-likelihood of the profile plus the weighted
 * squared error of the log counts.
 *
 * @throws {InputError} as `fitEpochs` does
 */
export async function fitNetwork(request: NetworkTraining): Promise<TrainedNetwork> {
  const { name, sizes, frozenBias, countsWeight, recipe, program, onProgress, signal } = request;
  const { tensors, losses, loss, frozen } = networkLoss(name, sizes, countsWeight, frozenBias);
  const { history, best, parameters } = await fitEpochs({
    step: {
      loss: mul(loss, input("share", "float32", [])),
      inParts: true,
      trained: initialValues(tensors, recipe.seed),
      frozen,
      optimizer: { learningRate: recipe.learningRate, epsilon: ADAM_EPSILON },
      ...(program === undefined ? {} : { program }),
    },
    training: request.training,
    validation: {
      data: request.validation,
      batchSize: recipe.batchSize,
      outputs: losses,
      tally: () => lossTally(countsWeight),
    },
    recipe: { ...recipe, order: request.order },
    folder: request.folder,
    identity: [request.identity, sizes, countsWeight],
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return { history, best, network: { sizes, arrays: withoutName(name, parameters) } };
}

/**
 * Loss of a network as a graph of `x`, one-hot [b, l, 4], and `counts`, reads [b, t]; means over the batch.
 *
 * @param frozenBias  its prediction is added; its arrays are returned in `frozen`, by the graph's names
 */
export function networkLoss(name: string, sizes: BpnetSizes, countsWeight: number, frozenBias?: StoredBpnet) {
  const network = bpnet(name, sizes);
  const x = input("x", "float32", ["b", sizes.inputLength, 4]);
  const counts = input("counts", "float32", ["b", sizes.outputLength]);
  const own = bpnetOutputs(network, x);
  const { logits, logCounts } =
    frozenBias === undefined ? own : withBias(own, bpnetOutputs(bpnet("bias", frozenBias.sizes), x));
  const profileLoss = multinomialError(logits, counts);
  const countsLoss = logCountError(logCounts, reduceSum(counts, [1]));
  return {
    tensors: network.tensors,
    losses: { profileLoss, countsLoss },
    loss: add(profileLoss, mul(countsLoss, countsWeight)),
    frozen: new Map([...(frozenBias?.arrays ?? [])].map(([at, array]) => [`bias.${at}`, array] as const)),
  };
}

const withoutName = (name: string, arrays: ReadonlyMap<string, NdArray>) =>
  new Map([...arrays].map(([at, array]) => [at.slice(name.length + 1), array]));

/** Means of the losses over all examples, from the means of batches. */
function lossTally(countsWeight: number): Tally {
  let examples = 0;
  let profile = 0;
  let counts = 0;
  return {
    add({ profileLoss, countsLoss }, _feeds, rows) {
      examples += rows.length;
      profile += rows.length * Number(profileLoss.data[0]);
      counts += rows.length * Number(countsLoss.data[0]);
    },
    columns: () => ({
      val_loss: (profile + countsWeight * counts) / examples,
      val_profile_loss: profile / examples,
      val_counts_loss: counts / examples,
    }),
  };
}
