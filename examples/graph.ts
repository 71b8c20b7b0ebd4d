// Builds a small network as a graph, prints it and runs it with ONNX Runtime.
//   npx tsx examples/graph.ts
import * as net from "dart-eval/net";

const { graph } = net;
const x = graph.input("x", "float32", ["batch", 4]);
const weight = graph.parameter("weight", [4, 3]);
const p = graph.softmax(graph.matMul(x, weight));
console.log(net.printGraph(net.graphOf({ p })));

const values = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
const program = await net.openProgram({ p }, new Map([["weight", net.ndArray("float32", [4, 3], values)]]));
const batch = net.ndArray("float32", [2, 4], Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0));
const outputs = await program.run({ x: batch });
const shares = Array.from(net.widenToFloat32(outputs.p.dtype, outputs.p.data), (value) => value.toFixed(4));
for (const row of [0, 1]) console.log(shares.slice(3 * row, 3 * row + 3).join("  "));
await program.close();
