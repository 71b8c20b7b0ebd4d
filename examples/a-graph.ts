// Builds a small network as a graph, prints it and runs it in ONNX Runtime.
//   npx tsx examples/a-graph.ts
import { graph, graphOf, ndArray, openProgram, printGraph } from "dart-eval/net";

const x = graph.input("x", "float32", ["batch", 4]);
const weight = graph.parameter("weight", [4, 3]);
const p = graph.softmax(graph.matMul(x, weight));
console.log(printGraph(graphOf({ p })));

const values = ndArray(
  "float32",
  [4, 3],
  Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
);
const program = await openProgram({ p }, new Map([["weight", values]]));
const answer = await program.run({ x: ndArray("float32", [2, 4], Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0)) });
const row = (i: number) => Array.from(answer.p!.data as Float32Array).slice(3 * i, 3 * i + 3);
for (const i of [0, 1])
  console.log(
    row(i)
      .map((share) => share.toFixed(4))
      .join("  "),
  );
await program.close();
