import { codesOf, oneHotOfCodes } from "../../dna/sequence/encoding.ts";
import { elementCount, type NdArray } from "../../net/arrays/array.ts";
import { input, reduceSum } from "../../net/graph/build.ts";
import { type Dim, knownSize } from "../../net/graph/dim.ts";
import { graphOf } from "../../net/graph/graph.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import { gradientsOf } from "../../net/graph/reverse.ts";
import { isOp, type Node, type Sym } from "../../net/graph/sym.ts";
import { DropoutSites } from "../../net/nn/dropout.ts";
import { initialValues, parameterCount } from "../../net/nn/init.ts";
import { runsLoopsWell } from "../../net/runtime/device.ts";
import {
  asStored,
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
  workingDevice,
} from "../../net/runtime/program.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { trainedSymbols } from "../../net/train/flat-parameters.ts";
import type { CheckpointFolder } from "../checkpoints/checkpoint-folder.ts";
import { drawParameter } from "../checkpoints/init.ts";
import type { Architecture, ForwardInput } from "../language/architecture.ts";
import { collate } from "../language/collate.ts";
import { LoraAdapters } from "../language/lora.ts";
import { weightMemory } from "../language/parameters.ts";
import type { ProfiledPasses, SequenceNetwork } from "../model.ts";

/** Number of copies of the weights in memory: the mapped file, and one packed copy per open program. */
const WEIGHTS_HELD = 3;

/**
 * Passes of a language model with a new classifier of one output and all weights trainable, as in DART-Eval's
 * profiling. The forward pass is that of evaluation; the backward pass has dropout, as in training.
 *
 * @param opened  closed by the passes' `close`
 * @param length  number of bases; batches are padded to the longest sequence
 */
export async function classifierPasses(
  opened: CheckpointFolder,
  length: number,
  options: ProgramOptions,
): Promise<ProfiledPasses> {
  const { architecture, tokenizer, parameters, read } = opened;
  const tokens = tokenizer.encode("ACGT".repeat(Math.ceil(length / 4)).slice(0, length)).ids.length;
  const loops = runsLoopsWell(await workingDevice(options.device ?? "cpu"));
  const axis: Dim = architecture.fixedLength ? tokens : "t";
  const head = architecture.classifier(1);
  const logitsOf = (model: Architecture, dropout?: DropoutSites) => {
    const given: ForwardInput = {
      ids: input("ids", "int32", ["b", axis]),
      ...(model.takesMask ? { mask: input("mask", "float32", ["b", axis]) } : {}),
      loops,
      dropout,
    };
    return head.logits(model.forward(given, axis), given);
  };
  const sites = new DropoutSites();
  // with an empty set of adapters the graph computes everything, instead of using derived constants
  const trainable = architecture.withLora(new LoraAdapters({ rank: 1, alpha: 1, dropout: 0 }, [], false));
  const loss = reduceSum(logitsOf(trainable, sites), [0, 1]);
  const trained = trainedParameters(loss, opened);
  const gradients = gradientsOf(loss, trained);
  const output = logitsOf(architecture);

  const headValues = head.tensors.map((tensor): [string, NdArray] => {
    const data = drawParameter(architecture.initializer(tensor), elementCount(tensor.shape), tensor.name);
    return [tensor.name, { dtype: "float32", shape: tensor.shape, data }];
  });
  const sources = async (model: Architecture) => {
    const derived = typeof axis === "number" ? await model.derive?.(axis, read) : undefined;
    return new Map<string, ParameterSource>([...parameters, ...headValues, ...(derived ?? [])]);
  };
  const collated = (sequences: readonly string[]) =>
    collate(
      sequences.map((sequence) => tokenizer.encode(sequence)),
      { pad: tokenizer.special.pad ?? 0 },
    );
  let batches = 0;
  const forward = graphPass(
    {
      outputs: { output },
      parameters: await sources(architecture),
      feeds: (sequences) => ({ ...collated(sequences) }),
    },
    options,
  );
  const backward = graphPass(
    {
      outputs: { loss, ...Object.fromEntries(gradients.map((gradient, i) => [`gradient ${i}`, gradient])) },
      parameters: await sources(trainable),
      feeds(sequences) {
        const batch = collated(sequences);
        const rows = sequences.map((sequence, row) => ({
          seed: [batches, row],
          tokens: tokenizer.encode(sequence).ids.length,
        }));
        batches++;
        return { ...batch, ...sites.draw(rows, batch.ids.shape[1]) };
      },
    },
    options,
  );
  const gradientCount = trained.reduce(
    (sum, { shape }) => sum + elementCount(shape.map((size) => knownSize(size, "a weight"))),
    0,
  );
  const { held, mapped } = weightMemory(architecture, parameters);
  const weights = WEIGHTS_HELD * held + mapped;
  const values = {
    forward: (b: number) => peakValues(asStored([output], parameters), { b, t: tokens }),
    backward: (b: number) =>
      peakValues(asStored([loss, ...gradients], parameters), { b, t: tokens }) + gradientCount,
  };
  return {
    parameters: classifierParameterCount(architecture, head.tensors),
    computes: "a classifier with one output",
    forward: forward.run,
    backward: backward.run,
    memory: (direction, batch) => weights + 4 * values[direction](batch),
    async close() {
      await forward.close();
      await backward.close();
      await opened.close();
    },
  };
}

/**
 * Parameters of the language model without its pretraining head, and of the classifier, whether or not the
 * graph reads them.
 */
function classifierParameterCount(
  { tensors, adaptedModules }: Architecture,
  head: readonly { readonly shape: readonly number[] }[],
): number {
  const own = tensors.filter(
    ({ name, buffer }) => buffer !== true && adaptedModules.some((module) => name.startsWith(`${module}.`)),
  );
  return [...own, ...head].reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Parameters of a graph that full training would change: no buffers. */
function trainedParameters(loss: Sym, { architecture, parameters }: CheckpointFolder): readonly Sym[] {
  const fixed = new Set(architecture.tensors.flatMap(({ name, buffer }) => (buffer === true ? [name] : [])));
  const head = new Set(architecture.classifier(1).tensors.map(({ name }) => name));
  return graphOf({ loss })
    .nodes.filter((node): node is Node & Node<"Parameter"> => isOp(node, "Parameter"))
    .filter(({ attributes: { name } }) => head.has(name) || (parameters.has(name) && !fixed.has(name)))
    .map((node) => ({ node, output: 0, ...node.outputs[0] }));
}

/** Passes of an untrained network on sequences, with one output. */
export function networkPasses(
  network: SequenceNetwork,
  length: number,
  options: ProgramOptions,
): ProfiledPasses {
  const { tensors, logits } = network.build({ length, outputs: 1 });
  const output = logits(input("sequence", "float32", ["b", length, 4]));
  const loss = reduceSum(output, [0, 1]);
  const parameters = initialValues(tensors, 0);
  const gradients = gradientsOf(
    loss,
    trainedSymbols(loss, parameters.keys()).map(({ sym }) => sym),
  );
  const feeds = (sequences: readonly string[]) => oneHot(sequences, length);
  const forward = graphPass({ outputs: { output }, parameters, feeds }, options);
  const outputs = {
    loss,
    ...Object.fromEntries(gradients.map((gradient, i) => [`gradient ${i}`, gradient])),
  };
  const backward = graphPass({ outputs, parameters, feeds }, options);
  return {
    parameters: parameterCount(tensors),
    computes: "a network with one output",
    forward: forward.run,
    backward: backward.run,
    memory: (direction, b) =>
      4 * peakValues(direction === "forward" ? [output] : [loss, ...gradients], { b }),
    async close() {
      await forward.close();
      await backward.close();
    },
  };
}

function oneHot(sequences: readonly string[], length: number): Feeds {
  const data = new Float32Array(sequences.length * length * 4);
  sequences.forEach((sequence, i) => {
    oneHotOfCodes(codesOf(sequence), data, i * length * 4);
  });
  return { sequence: { dtype: "float32", shape: [sequences.length, length, 4], data } };
}

export interface GraphPass {
  readonly outputs: Readonly<Record<string, Sym>>;
  readonly parameters: ReadonlyMap<string, ParameterSource>;
  feeds(sequences: readonly string[]): Feeds;
}

/** A pass over a graph; its program is opened at the first call. */
function graphPass({ outputs, parameters, feeds }: GraphPass, options: ProgramOptions) {
  let program: Promise<Program> | undefined;
  return {
    async run(sequences: readonly string[]): Promise<void> {
      program ??= openProgram(outputs, parameters, options);
      await (await program).run(feeds(sequences));
    },
    async close(): Promise<void> {
      const opened = program;
      program = undefined;
      await (await opened)?.close();
    },
  };
}
