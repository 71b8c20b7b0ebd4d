import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import type { LanguageModelCard } from "../../../src/models/language/card.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import type { DType, NdArray } from "../../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { cast, input } from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { toOnnx } from "../../../src/net/graph/onnx.ts";

export interface ExportOptions {
  /** Names and types of inputs and outputs in exports of other tools. */
  readonly idType?: "int32" | "int64";
  readonly maskType?: DType;
  readonly outputType?: DType;
  /** Sizes fixed at export. */
  readonly rows?: number;
  readonly tokens?: number;
}

/**
 * A toy of a family in a folder, and the same model as an ONNX file with the tensor names of `transformers`.
 */
export async function exportedOnnx(
  card: LanguageModelCard,
  preset: string,
  folder: string,
  { idType = "int64", maskType = "int64", outputType = "float32", rows, tokens }: ExportOptions = {},
): Promise<{ model: LanguageModel; path: string }> {
  await initCheckpoint(card, { preset, seed: 1, folder });
  const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
  const { architecture } = model;
  const shape = [rows ?? "b", tokens ?? "t"];
  const ids = input("input_ids", idType, shape);
  const mask = architecture.takesMask ? input("attention_mask", maskType, shape) : undefined;
  const { logits, lastHidden } = architecture.forward(
    { ids: cast(ids, "int32"), mask: mask && cast(mask, "float32"), loops: true },
    tokens ?? "t",
  );
  const graph = graphOf({
    logits: cast(logits, outputType),
    last_hidden_state: cast(lastHidden, outputType),
  });

  await using checkpoint = await openCheckpoint(folder);
  const arrays = new Map<string, NdArray>(
    tokens === undefined
      ? []
      : await architecture.derive?.(tokens, (name, rows) => checkpoint.read(name, rows && { rows })),
  );
  for (const { attributes } of graph.parameters) {
    const { name } = attributes;
    if (!arrays.has(name)) arrays.set(name, await checkpoint.read(name));
  }
  const bindings = new Map([...arrays].map(([name, array]) => [name, { kind: "inline" as const, array }]));
  const path = join(folder, "model.onnx");
  writeFileSync(path, toOnnx(graph, bindings));
  return { model, path };
}

/** Writes `model.card.json` next to a model. */
export function writeCard(path: string, card: object): void {
  writeFileSync(
    path.replace(".onnx", ".card.json"),
    JSON.stringify({ format: "dart-eval onnx card", formatVersion: 1, ...card }),
  );
}
