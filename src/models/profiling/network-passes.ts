import { codesOf, oneHotOfCodes } from "../../dna/sequence/letters.ts";
import { input, reduceSum } from "../../net/graph/build.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import { gradientsOf } from "../../net/graph/reverse.ts";
import { initialValues, parameterCount } from "../../net/nn/init.ts";
import type { ProgramOptions } from "../../net/runtime/program.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { trainedSymbols } from "../../net/train/train-step.ts";
import type { SequenceNetwork } from "../sequence-network.ts";
import { graphPass, type Passes } from "./passes.ts";

/** A network that learns from sequences alone, untrained, with one output. */
export function networkPasses(network: SequenceNetwork, length: number, options: ProgramOptions): Passes {
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
  sequences.forEach((letters, i) => {
    oneHotOfCodes(codesOf(letters), data, i * length * 4);
  });
  return { sequence: { dtype: "float32", shape: [sequences.length, length, 4], data } };
}
