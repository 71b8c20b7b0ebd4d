import { InputError } from "../../base/errors.ts";
import { oneHotOfCodes } from "../../dna/sequence/encoding.ts";
import { dataOf, type NdArray } from "../../net/arrays/array.ts";
import { input } from "../../net/graph/build.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { ConcreteDevice } from "../../net/runtime/device.ts";
import { openProgram, type Program, type ProgramOptions } from "../../net/runtime/program.ts";
import { bpnet, bpnetOutputs, type ProfileAndCounts, withBias } from "./bpnet.ts";
import type { StoredBpnet } from "./keras-bpnet.ts";
import type { StoredChrombpnet } from "./read-keras.ts";

/** Prediction of one sequence. */
export interface ProfilePrediction {
  /** [outputLength]; the softmax is the distribution of reads over the window. */
  readonly logits: Float32Array;
  /** Predicted ln(1 + reads in the window). */
  readonly logCounts: number;
}

/** A loaded ChromBPNet. */
export interface Predictor extends AsyncDisposable {
  readonly device: ConcreteDevice;
  readonly inputLength: number;
  readonly outputLength: number;
  /**
   * @param sequences  base codes of `inputLength` bases each: A 0, C 1, G 2, T 3, unknown 4
   * @param signal     aborts between two runs of the program, with its reason
   * @throws {InputError} when a sequence has another length
   */
  predict(sequences: readonly Uint8Array[], signal?: AbortSignal): Promise<readonly ProfilePrediction[]>;
  close(): Promise<void>;
}

/** Sequences per run of the program; more take more memory and are not faster. */
const ROWS = 32;

export async function openPredictor(
  stored: StoredChrombpnet,
  options: ProgramOptions = {},
): Promise<Predictor> {
  const { inputLength, outputLength } = sizesOf(stored);
  const x = input("x", "float32", ["b", inputLength, 4]);
  const values = new Map<string, NdArray>();
  const program = await openProgram({ ...outputsOf(stored, x, values) }, values, options);
  return {
    device: program.device,
    inputLength,
    outputLength,
    predict: (sequences, signal) => predictAll(program, { inputLength, outputLength }, sequences, signal),
    close: () => program.close(),
    [Symbol.asyncDispose]: () => program.close(),
  };
}

const sizesOf = (stored: StoredChrombpnet) => (stored.accessibility ?? stored.bias).sizes;

/** Float32 values alive at once when sequences are predicted. */
export function predictorValues(stored: StoredChrombpnet, sequences: number): number {
  const { inputLength } = sizesOf(stored);
  const outputs = outputsOf(stored, input("x", "float32", ["b", inputLength, 4]), new Map());
  return peakValues(Object.values(outputs), { b: Math.min(sequences, ROWS) });
}

/** Graph of one or both networks; their arrays are added to `values`. */
function outputsOf(stored: StoredChrombpnet, x: Sym, values: Map<string, NdArray>): ProfileAndCounts {
  const outputs = (name: string, network: StoredBpnet) => {
    for (const [at, array] of network.arrays) values.set(`${name}.${at}`, array);
    return bpnetOutputs(bpnet(name, network.sizes), x);
  };
  if (stored.accessibility === undefined) return outputs("bias", stored.bias);
  const bias = stored.bias && outputs("bias", stored.bias);
  const accessibility = outputs("accessibility", stored.accessibility);
  return bias === undefined ? accessibility : withBias(accessibility, bias);
}

async function predictAll(
  program: Program,
  { inputLength, outputLength }: Pick<Predictor, "inputLength" | "outputLength">,
  sequences: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<readonly ProfilePrediction[]> {
  const predictions: ProfilePrediction[] = [];
  for (let from = 0; from < sequences.length; from += ROWS) {
    signal?.throwIfAborted();
    const some = sequences.slice(from, from + ROWS);
    const { logits, logCounts } = await program.run({ x: oneHotRows(some, inputLength) });
    const profiles = dataOf(logits, "float32");
    some.forEach((_, i) => {
      predictions.push({
        logits: profiles.slice(i * outputLength, (i + 1) * outputLength),
        logCounts: Number(logCounts.data[i]),
      });
    });
  }
  return predictions;
}

/**
 * One-hot rows of sequences of one length, [b, l, 4].
 * @throws {InputError} naming a sequence of another length
 */
export function oneHotRows(sequences: readonly Uint8Array[], length: number): NdArray<"float32"> {
  const data = new Float32Array(4 * length * sequences.length);
  sequences.forEach((codes, i) => {
    if (codes.length !== length) {
      throw new InputError(`the model reads ${length} bases, but a sequence has ${codes.length}`, {
        hint: "evaluate it on tasks with this length: chromatin-activity and variant-effects",
      });
    }
    oneHotOfCodes(codes, data, 4 * length * i);
  });
  return { dtype: "float32", shape: [sequences.length, length, 4], data };
}

/**
 * Expected reads at each base of the window: softmax(logits) · e^logCounts, as the original writes them to
 * bigWig files. Since counts are ln(1 + reads), the sum exceeds the predicted reads by one.
 *
 * @returns  [outputLength], reads
 */
export function expectedProfile({ logits, logCounts }: ProfilePrediction): Float64Array {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const scale = Math.exp(logCounts) / weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight * scale);
}

/**
 * Mean of the predictions of a sequence and of its reverse complement: of the logits, base by base, and of
 * the log counts.
 */
export function strandMean(forward: ProfilePrediction, reverse: ProfilePrediction): ProfilePrediction {
  const last = forward.logits.length - 1;
  return {
    logits: forward.logits.map((logit, i) => (logit + reverse.logits[last - i]) / 2),
    logCounts: (forward.logCounts + reverse.logCounts) / 2,
  };
}
