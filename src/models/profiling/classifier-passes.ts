import type { NdArray } from "../../net/arrays/array.ts";
import { elementCount } from "../../net/arrays/array.ts";
import { input, reduceSum } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import { graphOf } from "../../net/graph/graph.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import { gradientsOf } from "../../net/graph/reverse.ts";
import type { Node, Sym } from "../../net/graph/sym.ts";
import { isOp } from "../../net/graph/sym.ts";
import { DropoutSites } from "../../net/nn/dropout.ts";
import { runsLoopsWell } from "../../net/runtime/device.ts";
import type { ParameterSource, ProgramOptions } from "../../net/runtime/program.ts";
import { workingDevice } from "../../net/runtime/program.ts";
import type { Architecture, ForwardInput } from "../architecture.ts";
import type { CheckpointFolder } from "../checkpoint-folder.ts";
import { draw } from "../init.ts";
import { LoraFactors } from "../lora.ts";
import { weightBytes } from "../parameters.ts";
import { collate } from "../queries/collate.ts";
import { graphPass, type Passes } from "./passes.ts";

/** Weights in memory: in their file, and packed by each program that is open. */
const WEIGHTS_HELD = 3;

/**
 * A language model with a fresh classifier of one output, all of whose weights may change: what DART-Eval's profiling runs.
 * The forward pass is that of an evaluation; the backward pass drops out as training does.
 *
 * @param opened  closed in the end
 * @param length  bases of the sequences; those of a batch are padded to the longest
 */
export async function classifierPasses(
  opened: CheckpointFolder,
  length: number,
  options: ProgramOptions,
): Promise<Passes> {
  const { architecture, tokenizer, parameters, read } = opened;
  const tokens = tokenizer.encode("ACGT".repeat(Math.ceil(length / 4)).slice(0, length)).ids.length;
  const loops = runsLoopsWell(await workingDevice(options.device ?? "cpu"));
  const known = architecture.fixedLength || (architecture.recurrent === true && !loops);
  const axis: Dim = known ? tokens : "t";
  const head = architecture.classifier(1);
  const logitsOf = (model: Architecture, dropout?: DropoutSites) => {
    const given: ForwardInput = {
      ids: input("ids", "int32", ["b", axis]),
      ...(model.takesMask ? { mask: input("mask", "float32", ["b", axis]) } : {}),
      ...{ loops, dropout },
    };
    return head.logits(model.forward(given, axis), given);
  };
  const sites = new DropoutSites();
  // with factors for nothing, all parts of a model are in its graph, also those that are else computed beforehand
  const trainable = architecture.adapted(new LoraFactors({ rank: 1, alpha: 1, dropout: 0 }, [], false));
  const loss = reduceSum(logitsOf(trainable, sites), [0, 1]);
  const trained = trainedParameters(loss, opened);
  const gradients = gradientsOf(loss, trained);
  const output = logitsOf(architecture);

  const headValues = head.tensors.map((tensor) => {
    const data = draw(architecture.initial(tensor), elementCount(tensor.shape), tensor.name);
    return [tensor.name, { dtype: "float32", shape: tensor.shape, data } as NdArray] as const;
  });
  const sources = async (model: Architecture) => {
    const derived = typeof axis === "number" ? await model.derive?.(axis, read) : undefined;
    return new Map<string, ParameterSource>([...parameters, ...headValues, ...(derived ?? [])]);
  };
  const collated = (sequences: readonly string[]) =>
    collate(
      sequences.map((letters) => tokenizer.encode(letters)),
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
        const rows = sequences.map((letters, row) => ({
          seed: [batches, row],
          tokens: tokenizer.encode(letters).ids.length,
        }));
        batches++;
        return { ...batch, ...sites.draw(rows, batch.ids.shape[1]!) };
      },
    },
    options,
  );
  const gradientCount = trained.reduce((sum, { shape }) => sum + elementCount(shape as readonly number[]), 0);
  const weights = WEIGHTS_HELD * weightBytes(architecture, parameters);
  const values = {
    forward: (b: number) => peakValues([output], { b, t: tokens }),
    backward: (b: number) => peakValues([loss, ...gradients], { b, t: tokens }) + gradientCount,
  };
  return {
    parameters: parameterCount(architecture, head.tensors),
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

/** Parameters of the language model without the head that it was trained with, and of the classifier: read by the graph or not. */
function parameterCount(
  { tensors, wrapped }: Architecture,
  head: readonly { readonly shape: readonly number[] }[],
): number {
  const own = tensors.filter(
    ({ name, buffer }) => buffer !== true && wrapped.some((module) => name.startsWith(`${module}.`)),
  );
  return [...own, ...head].reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Every parameter of a graph that training would change: not what a checkpoint merely keeps. */
function trainedParameters(loss: Sym, { architecture, parameters }: CheckpointFolder): readonly Sym[] {
  const fixed = new Set(architecture.tensors.flatMap(({ name, buffer }) => (buffer === true ? [name] : [])));
  const head = new Set(architecture.classifier(1).tensors.map(({ name }) => name));
  return graphOf({ loss })
    .nodes.filter((node): node is Node & Node<"Parameter"> => isOp(node, "Parameter"))
    .filter(({ attributes: { name } }) => head.has(name) || (parameters.has(name) && !fixed.has(name)))
    .map((node) => ({ node, output: 0, ...node.outputs[0]! }));
}
