import { FormatError, InputError, InternalError } from "../../base/errors.ts";
import { formatShape, isFloat, type NdArray } from "../../net/arrays/array.ts";
import { widenToFloat32 } from "../../net/arrays/float-conversion.ts";
import type { OnnxValue } from "../../net/graph/read-onnx.ts";
import type { OnnxFile, OnnxFileProgram } from "../../net/runtime/onnx-file.ts";
import type { Batch } from "../language/collate.ts";
import type { OnnxCard } from "./onnx-card.ts";

export type OutputName = keyof OnnxCard["outputs"];

/** Sizes fixed at export; undefined for free ones. */
export interface FixedSizes {
  readonly rows: number | undefined;
  readonly tokens: number | undefined;
}

const ID_TYPES = ["int64", "int32"] as const;
const MASK_TYPES = ["int64", "int32", "float32", "bool"] as const;
type FedType = (typeof MASK_TYPES)[number];

/**
 * Checks a model's inputs and outputs against its card, before it is opened.
 *
 * @throws {FormatError} naming an input or output that is missing, of another type or shape, or absent from
 *   the card
 */
export function checkAgainstCard(file: OnnxFile, card: OnnxCard): FixedSizes {
  const mismatch = (message: string, hint: string) => new FormatError({ file: file.path }, message, hint);
  const find = (values: readonly OnnxValue[], what: "input" | "output", part: string, name: string) => {
    const found = values.find((value) => value.name === name);
    if (found !== undefined) return found;
    throw mismatch(
      `the model has no ${what} ${JSON.stringify(name)}, which the card names as ${part}`,
      `its ${what}s are ${listed(values)}`,
    );
  };
  const { ids, mask, zeros } = card.inputs;
  const given = [
    { part: "inputs.ids", name: ids, types: ID_TYPES },
    ...(mask === undefined ? [] : [{ part: "inputs.mask", name: mask, types: MASK_TYPES }]),
    ...zeros.map((name, i) => ({ part: `inputs.zeros.${i}`, name, types: MASK_TYPES })),
  ];
  for (const { part, name, types } of given) {
    const { dtype, shape } = find(file.inputs, "input", part, name);
    if (!types.some((type) => type === dtype) || (shape !== undefined && shape.length !== 2)) {
      throw mismatch(
        `the input ${JSON.stringify(name)} is ${described({ dtype, shape })}`,
        `${part} can be ${types.join(", ")} of [rows, tokens]`,
      );
    }
  }
  const unnamed = file.inputs.find(({ name }) => !given.some((input) => input.name === name));
  if (unnamed !== undefined) {
    throw mismatch(
      `the card does not name the model's input ${JSON.stringify(unnamed.name)}`,
      "name it under inputs: as mask, or under zeros if it takes zeros",
    );
  }
  for (const [part, name] of Object.entries(card.outputs)) {
    if (name === undefined) continue;
    const { dtype, shape } = find(file.outputs, "output", `outputs.${part}`, name);
    if (dtype === undefined || !isFloat(dtype) || (shape !== undefined && shape.length !== 3)) {
      throw mismatch(
        `the output ${JSON.stringify(name)} is ${described({ dtype, shape })}`,
        `outputs.${part} must be floats of [rows, tokens, ${part === "logits" ? "vocabulary" : "width"}]`,
      );
    }
  }
  const shape = file.inputs.find(({ name }) => name === ids)?.shape;
  const [rows, tokens] = [shape?.[0], shape?.[1]].map((size) =>
    typeof size === "number" ? size : undefined,
  );
  return { rows, tokens };
}

const listed = (values: readonly OnnxValue[]) =>
  values.map((value) => `${JSON.stringify(value.name)} (${described(value)})`).join(", ") || "none";

const described = ({ dtype, shape }: Pick<OnnxValue, "dtype" | "shape">) =>
  `${dtype ?? "of another type"}${shape === undefined ? "" : ` ${formatShape(shape.map((size) => size ?? "?"))}`}`;

/** Runs a model on [rows, tokens] ids and returns the card's logits and hidden states as float32. */
export class OnnxOutputs {
  private readonly file: OnnxFile;
  private readonly card: OnnxCard;
  private readonly program: OnnxFileProgram;
  private readonly fixed: FixedSizes;
  private readonly pad: number;

  /**
   * @param pad  id that pads rows to a fixed number of tokens
   * @throws {FormatError} when rows must be padded without such an id, or a masked model would attend to
   *   padding
   */
  constructor(
    file: OnnxFile,
    card: OnnxCard,
    program: OnnxFileProgram,
    { fixed, pad }: { readonly fixed: FixedSizes; readonly pad: number | undefined },
  ) {
    this.file = file;
    this.card = card;
    this.program = program;
    this.fixed = fixed;
    this.pad = pad ?? 0;
    const seen = card.kind === "masked" && card.inputs.mask === undefined;
    if (fixed.tokens !== undefined && (seen || pad === undefined)) {
      throw new FormatError(
        { file: file.path },
        `the model takes rows of exactly ${fixed.tokens} tokens, so shorter ones must be padded`,
        "set tokenizer.pad and, for a masked model, inputs.mask; or export the model with a free number of tokens",
      );
    }
  }

  /**
   * @param wanted  outputs that the card names
   * @returns       float32 [rows, tokens, vocabulary or width], by name
   * @throws {InputError} when an output has another shape
   */
  async run(
    { ids, mask }: Batch,
    wanted: readonly OutputName[],
  ): Promise<Partial<Record<OutputName, NdArray>>> {
    const [rows, tokens] = ids.shape;
    const most = this.fixed.rows ?? rows;
    const outputs = wanted.map((output) => ({
      output,
      name: this.nameOf(output),
      parts: [] as NdArray<"float32">[],
    }));
    for (let start = 0; start < rows; start += most) {
      const size = { rows: most, tokens: this.fixed.tokens ?? tokens };
      const from = { start, rows: Math.min(most, rows - start), tokens };
      const feeds = this.feeds(
        rectangle(ids.data, from, size, this.pad),
        rectangle(mask.data, from, size, 0),
        size,
      );
      const results = await this.program.run(
        feeds,
        outputs.map(({ name }) => name),
      );
      for (const { output, name, parts } of outputs) {
        parts.push(cut(this.checked(output, results[name], size), from));
      }
    }
    return Object.fromEntries(outputs.map(({ output, parts }) => [output, stacked(parts)]));
  }

  private nameOf(output: OutputName): string {
    const name = this.card.outputs[output];
    if (name === undefined) throw new InternalError(`the card names no output ${output}`);
    return name;
  }

  close(): Promise<void> {
    return this.program.close();
  }

  private feeds(
    ids: ArrayLike<number>,
    mask: ArrayLike<number>,
    { rows, tokens }: Size,
  ): Record<string, NdArray> {
    const { inputs } = this.card;
    const feed = (name: string, values: ArrayLike<number>): [string, NdArray] => {
      const dtype = this.file.inputs.find((input) => input.name === name)!.dtype as FedType;
      return [name, { dtype, shape: [rows, tokens], data: asType(dtype, values) }];
    };
    const none = new Int32Array(rows * tokens);
    return Object.fromEntries([
      feed(inputs.ids, ids),
      ...(inputs.mask === undefined ? [] : [feed(inputs.mask, mask)]),
      ...inputs.zeros.map((name) => feed(name, none)),
    ]);
  }

  /** Checks the shape of an output, and widens it to float32. */
  private checked(
    output: OutputName,
    { dtype, shape, data }: NdArray,
    { rows, tokens }: Size,
  ): NdArray<"float32"> {
    if (shape.length === 3 && shape[0] === rows && shape[1] === tokens) {
      return { dtype: "float32", shape, data: widenToFloat32(dtype, data) };
    }
    throw new InputError(
      `for ids of shape ${formatShape([rows, tokens])} the model returned ${output} of shape ${formatShape(shape)}; expected [${rows}, ${tokens}, …]`,
      { place: { file: this.file.path }, hint: "it must have one vector per token" },
    );
  }
}

interface Size {
  readonly rows: number;
  readonly tokens: number;
}

interface Part extends Size {
  /** First row. */
  readonly start: number;
}

/** Copies rows of a matrix to the top left of a larger one. */
function rectangle(values: ArrayLike<number>, from: Part, size: Size, fill: number): Float64Array {
  const out = new Float64Array(size.rows * size.tokens).fill(fill);
  for (let row = 0; row < from.rows; row++) {
    for (let token = 0; token < from.tokens; token++) {
      out[row * size.tokens + token] = values[(from.start + row) * from.tokens + token];
    }
  }
  return out;
}

/** Removes padded rows and tokens. */
function cut({ shape, data }: NdArray<"float32">, { rows, tokens }: Size): NdArray<"float32"> {
  const [, allTokens, width] = shape;
  const kept = { dtype: "float32", shape: [rows, tokens, width] } as const;
  if (tokens === allTokens) return { ...kept, data: data.subarray(0, rows * tokens * width) };
  const out = new Float32Array(rows * tokens * width);
  for (let row = 0; row < rows; row++) {
    const start = row * allTokens * width;
    out.set(data.subarray(start, start + tokens * width), row * tokens * width);
  }
  return { ...kept, data: out };
}

function stacked(parts: readonly NdArray<"float32">[]): NdArray<"float32"> {
  const [first] = parts;
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
  const [, tokens, width] = first.shape;
  const data = new Float32Array(rows * tokens * width);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { dtype: "float32", shape: [rows, tokens, width], data };
}

function asType(dtype: FedType, values: ArrayLike<number>): NdArray["data"] {
  switch (dtype) {
    case "int64":
      return BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]));
    case "int32":
      return Int32Array.from(values);
    case "float32":
      return Float32Array.from(values);
    case "bool":
      return Uint8Array.from(values);
  }
}
