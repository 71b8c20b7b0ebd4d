// Trains your own graph: a logistic regression on one-hot DNA learns to recognise GATA in the middle of a
// sequence.
//   npx tsx examples/train-step.ts
import * as base from "dart-eval/base";
import * as dna from "dart-eval/dna";
import * as net from "dart-eval/net";

const LENGTH = 12;
const { graph } = net;
const x = graph.input("x", "float32", ["b", 4 * LENGTH]);
const labels = graph.input("labels", "int32", ["b"]);
const logits = graph.matMul(x, graph.parameter("weight", [4 * LENGTH, 2]));

// Gradients are derived from the graph; one program computes loss, gradients and the Adam update.
const step = await net.openTrainStep({
  loss: net.crossEntropy(logits, labels),
  trained: new Map([["weight", net.ndArray("float32", [4 * LENGTH, 2], new Float32Array(8 * LENGTH))]]),
  optimizer: { learningRate: 0.1 },
});

const rng = new base.Pcg64(1);
const randomBases = (count: number) =>
  Array.from({ length: count }, () => base.choice(rng, [..."ACGT"])).join("");

for (let batch = 0; batch <= 50; batch++) {
  const classes = Int32Array.from({ length: 64 }, () => base.integerBelow(rng, 2));
  const rows = Array.from(
    classes,
    (positive) => `${randomBases(4)}${positive ? "GATA" : randomBases(4)}${randomBases(4)}`,
  );
  const oneHot = Float32Array.from(rows.flatMap((row) => [...dna.oneHot(row)]));
  const { loss } = await step.run({
    x: net.ndArray("float32", [64, 4 * LENGTH], oneHot),
    labels: net.ndArray("int32", [64], classes),
  });
  if (batch % 10 === 0) console.log(`batch ${batch}: loss ${Number(loss.data[0]).toFixed(4)}`);
}
const weights = (await step.parameters()).get("weight");
console.log(`weights ${weights?.shape.join(" × ")}`);
await step.close();
