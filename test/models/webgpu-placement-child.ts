import { writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loraRecipes, NETWORK_RECIPES } from "../../scripts/devices/recipes.ts";
import type { ForwardInput } from "../../src/models/language/architecture.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { input } from "../../src/net/graph/build.ts";
import { graphOf } from "../../src/net/graph/graph.ts";
import { toOnnx } from "../../src/net/graph/onnx.ts";
import { gradientsOf } from "../../src/net/graph/reverse.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { onnxRuntime } from "../../src/net/runtime/onnx-runtime.ts";
import { trainedSymbols } from "../../src/net/train/flat-parameters.ts";
import { opExamples } from "../net/graph/op-examples.ts";
import { shallow } from "./shallow.ts";

// Opens every op, the forward pass of each family, and the gradients of each training recipe, on WebGPU
// without running them. ONNX Runtime writes the provider of each op to standard error, below a line with the
// graph's name. A separate process, because the environment selects the Vulkan driver.

async function openSession(name: string, outputs: Readonly<Record<string, Sym>>) {
  const graph = graphOf(outputs);
  const fed = graph.parameters.map(({ attributes }) => [attributes.name, { kind: "fed" }] as const);
  const { InferenceSession } = await onnxRuntime();
  writeSync(2, `\ngraph: ${name}\n`);
  return InferenceSession.create(toOnnx(graph, new Map(fed), "gpu"), {
    executionProviders: ["webgpu", "cpu"],
    logSeverityLevel: 0,
  });
}

async function place(name: string, outputs: Readonly<Record<string, Sym>>): Promise<void> {
  await (await openSession(name, outputs)).release();
}

const examples = Object.values(opExamples).flat();
// An open session keeps the device, which the others then share.
const everyOp = await openSession("every op", Object.fromEntries(examples.map((sym, i) => [`y${i}`, sym])));
const families = LANGUAGE_MODELS.map(shallow);
for (const card of families) {
  const model = card.architecture(Object.values(card.toys)[0], "config.json");
  const tokens = model.fixedLength ? 12 : "t";
  const given: ForwardInput = {
    ids: input("ids", "int32", ["b", tokens]),
    ...(model.takesMask ? { mask: input("mask", "float32", ["b", tokens]) } : {}),
    loops: false,
  };
  const { lastHidden, logits } = model.forward(given, tokens);
  await place(`forward, ${card.name}`, { lastHidden, logits });
}
const folder = await mkdtemp(join(tmpdir(), "dart-eval-placement-"));
for (const recipe of [...NETWORK_RECIPES, ...families.flatMap(loraRecipes)]) {
  const { loss, trained, close } = await recipe.open("webgpu", folder);
  const symbols = trainedSymbols(loss, trained.keys());
  const of = gradientsOf(
    loss,
    symbols.map(({ sym }) => sym),
  );
  const gradients = Object.fromEntries(symbols.map(({ name }, i) => [`d ${name}`, of[i]]));
  await place(`gradients, ${recipe.name}`, { loss, ...gradients });
  await close();
}
await everyOp.release();
await rm(folder, { recursive: true });
