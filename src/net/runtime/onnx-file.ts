import { dirname, join, sep } from "node:path";
import type { Tensor } from "onnxruntime-node";
import { FormatError, InputError, reasonOf } from "../../base/errors.ts";
import { openFile } from "../../base/read-file.ts";
import { bytesPerElement, type NdArray } from "../arrays/array.ts";
import { cachedSearch, type FloatArray, findNotFinite } from "../arrays/finite.ts";
import { type OnnxExternalData, type OnnxSummary, readOnnx } from "../graph/read-onnx.ts";
import type { ConcreteDevice } from "./device.ts";
import { ndArrayOf, onnxRuntime, tensorOf } from "./onnx-runtime.ts";
import type { ProgramOptions } from "./program.ts";
import { openSession } from "./session.ts";

/**
 * Size limit of an ONNX model, from the format's limit for one message. Larger weights are in external files.
 */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** An ONNX model on disk: its declarations and its files. */
export interface OnnxFile extends OnnxSummary {
  readonly path: string;
  /** The model file, then the files of its weights, each once. */
  readonly files: readonly string[];
  /** Total size of all files. */
  readonly bytes: number;
}

/** An ONNX file ready to run. */
export interface OnnxFileProgram {
  readonly device: ConcreteDevice;
  /**
   * Runs the model once.
   *
   * @param outputs  names of the requested outputs
   * @throws {InputError} with ONNX Runtime's message when it fails for these inputs
   */
  run(
    feeds: Readonly<Record<string, NdArray>>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, NdArray>>>;
  close(): Promise<void>;
}

/**
 * Reads the declarations of an ONNX file, and checks that the external files of its weights are in its folder
 * and long enough.
 *
 * @throws {FormatError} when it is not an ONNX model, is larger than the format allows, or refers to a file
 *                       outside its folder, to a missing file, or to bytes beyond the end of one
 */
export async function readOnnxFile(path: string): Promise<OnnxFile> {
  await using file = await openFile(path);
  if (file.size > MAX_FILE_BYTES) {
    throw new FormatError(
      { file: path },
      `the file has ${file.size} bytes; an ONNX model has at most ${MAX_FILE_BYTES}`,
    );
  }
  const summary = readOnnx(await file.read(0, file.size), path);
  const sizes = new Map([[path, file.size]]);
  for (const data of summary.external) await checkExternal(path, file.realPath, data, sizes);
  return {
    ...summary,
    path,
    files: [...sizes.keys()],
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  };
}

async function checkExternal(
  model: string,
  realModel: string,
  { location, offset, length }: OnnxExternalData,
  sizes: Map<string, number>,
): Promise<void> {
  const refuse = (message: string, hint: string) => new FormatError({ file: model }, message, hint);
  const named = JSON.stringify(location.slice(0, 200));
  const steps = location.split(/[/\\]/);
  if (location === "" || steps[0] === "" || steps.includes("..") || /^[a-zA-Z]:/.test(location)) {
    throw refuse(
      `the model reads weights from ${named}`,
      "only files in the model's own folder are read; export the model with relative paths",
    );
  }
  const path = join(dirname(model), location);
  let size = sizes.get(path);
  if (size === undefined) {
    await using file = await openFile(path);
    if (!file.realPath.startsWith(`${dirname(realModel)}${sep}`)) {
      throw refuse(
        `the model reads weights from ${named}, a link to another folder`,
        "copy the model and its weights into one folder",
      );
    }
    size = file.size;
    sizes.set(path, size);
  }
  const end = offset + (length ?? 0);
  if (!(Number.isSafeInteger(end) && offset >= 0 && end >= offset && end <= size)) {
    throw refuse(
      `the model reads bytes ${offset} to ${length === undefined ? "the end" : end} from ${named}, which has ${size}`,
      "were both files downloaded completely?",
    );
  }
}

/**
 * Checks that all floats of a model are finite, apart from masks: tensors of zeros and infinities alone. The
 * result is cached by the digests of the files.
 *
 * @param digests  SHA-256 of each of `file.files`
 * @throws {FormatError} naming the first tensor with a NaN or an infinity
 */
export async function checkOnnxFinite(
  { path, floats }: OnnxFile,
  digests: readonly string[],
  folder?: string,
): Promise<void> {
  const search = async () => {
    const arrays: FloatArray[] = [];
    for (const { name, dtype, values } of floats) {
      const place = "external" in values ? await placeOf(path, values.external) : { file: path, ...values };
      if (!("data" in place) && place.length % bytesPerElement(dtype) !== 0) {
        throw new FormatError({ file: path, tensor: name }, `has ${place.length} bytes for ${dtype}`);
      }
      arrays.push({ name, dtype, ...place });
    }
    return findNotFinite(arrays, { masks: true });
  };
  const found = await cachedSearch({ onnx: digests }, search, folder);
  if (found === null) return;
  const { tensor, element, value } = found;
  throw new FormatError(
    { file: path, tensor: tensor || "a constant without a name" },
    `element ${element} is ${value}: every weight must be a finite number`,
    "did the training diverge, or was the file damaged? Export an earlier checkpoint",
  );
}

async function placeOf(model: string, { location, offset, length }: OnnxExternalData) {
  const path = join(dirname(model), location);
  await using file = await openFile(path);
  return { file: path, offset, length: length ?? file.size - offset };
}

/**
 * Opens an ONNX file in ONNX Runtime, which maps or reads its weights itself.
 *
 * @throws {InputError} when the device is not available, or ONNX Runtime rejects the model
 */
export async function openOnnxFile(
  { path }: Pick<OnnxFile, "path">,
  { device = "cpu", threads }: ProgramOptions = {},
): Promise<OnnxFileProgram> {
  const opened = await openSession(path, {
    device,
    threads,
    refusal: (reason, cause) =>
      new FormatError(
        { file: path },
        `ONNX Runtime rejects the model: ${reason}`,
        "does it use operators of another library, or a newer ONNX?",
        cause,
      ),
  });
  const { session } = opened;
  return {
    device: opened.device,
    async run(feeds, outputs) {
      const ort = await onnxRuntime();
      const tensors: Record<string, Tensor> = {};
      for (const [name, array] of Object.entries(feeds)) tensors[name] = tensorOf(ort, array);
      const results = await session.run(tensors, [...outputs]).catch((cause) => {
        throw new InputError(`the model fails to run: ${reasonOf(cause)}`, { place: { file: path }, cause });
      });
      return Object.fromEntries(outputs.map((name) => [name, ndArrayOf(results[name])]));
    },
    close: () => session.release(),
  };
}
