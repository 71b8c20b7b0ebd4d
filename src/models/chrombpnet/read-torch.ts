import { FormatError, InputError } from "../../base/errors.ts";
import { escapeRegExp } from "../../base/message-text.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { type Checkpoint, openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { checkFinite } from "../../net/arrays/finite.ts";
import { bindParameters } from "../language/parameters.ts";
import { ACCESSIBILITY_SIZES, type BpnetSizes, bpnet } from "./bpnet.ts";
import type { StoredBpnet } from "./keras-bpnet.ts";
import type { StoredChrombpnet } from "./read-keras.ts";

/** Layers of `bpnet` and their names in bpnet-lite; `dilated.0` is `rconvs.0`. */
const NAMES = [
  ["first", "iconv"],
  ["dilated", "rconvs"],
  ["profile", "fconv"],
  ["counts", "linear"],
] as const;

/** Prefixes of the two networks of a ChromBPNet. */
const PREFIXES = { accessibility: "accessibility.", bias: "bias." } as const;

const HINT =
  'supported are state dicts of bpnet-lite for 2,114 bases: torch.save(model.state_dict(), "model.pt") of its BPNet or ChromBPNet';

/**
 * Reads a BPNet or ChromBPNet of bpnet-lite from its state dict (PyTorch or safetensors). Its input has 2,114
 * bases and one profile without control tracks. bpnet-lite pads its convolutions and trims the padded
 * positions, whose number by default leaves exactly the unpadded network.
 *
 * @throws {FormatError} when the file has other tensors, such as those of control tracks
 * @throws {InputError} when there is no such file
 */
export async function readTorchChrombpnet(path: string): Promise<StoredChrombpnet> {
  await using checkpoint = await openCheckpoint(path);
  await checkFinite(checkpoint, [...checkpoint.arrays.keys()]);
  const names = [...checkpoint.arrays.keys()];
  if (!names.some((name) => name.startsWith(PREFIXES.accessibility))) {
    return { accessibility: await readNetwork(checkpoint, sizesOf(checkpoint, ""), [""]) };
  }
  const both = [PREFIXES.accessibility, PREFIXES.bias];
  const sizes = sizesOf(checkpoint, PREFIXES.accessibility);
  const { outputLength } = sizes;
  const accessibility = await readNetwork(checkpoint, sizes, both);
  const biasSizes = { ...sizesOf(checkpoint, PREFIXES.bias), outputLength };
  return { accessibility, bias: await readNetwork(checkpoint, biasSizes, [...both].reverse()) };
}

/** Sizes of a network from the shapes of its layers. */
function sizesOf({ arrays, files }: Checkpoint, prefix: string): BpnetSizes {
  const shape = (name: string) => {
    const found = arrays.get(`${prefix}${name}`)?.shape;
    if (found?.length === 3) return found;
    throw new FormatError({ file: files[0] }, `the file has no convolution ${prefix}${name}`, HINT);
  };
  const [filters, , firstKernel] = shape("iconv.weight");
  const profileKernel = shape("fconv.weight")[2];
  let dilatedLayers = 0;
  while (arrays.has(`${prefix}rconvs.${dilatedLayers}.weight`)) dilatedLayers++;
  const { inputLength } = ACCESSIBILITY_SIZES;
  const trimmed = (firstKernel - 1) / 2 + (profileKernel - 1) / 2 + 2 ** (dilatedLayers + 1) - 2;
  const outputLength = inputLength - 2 * trimmed;
  return { inputLength, outputLength, filters, dilatedLayers, firstKernel, profileKernel };
}

/** @param prefixes  of this network, then of the others in the file */
async function readNetwork(
  checkpoint: Checkpoint,
  sizes: BpnetSizes,
  [prefix, ...others]: readonly string[],
): Promise<StoredBpnet> {
  const nameOf = (name: string) =>
    NAMES.reduce((text, [ours, theirs]) => text.replace(new RegExp(`^${ours}\\b`), theirs), name);
  const tensors = declaredTensors(checkpoint.files[0], sizes).map(({ name, shape }) => ({
    name,
    shape,
    stored: `${prefix}${nameOf(name)}`,
  }));
  const declared = tensors.map(({ stored: name, shape }) => ({ name, shape, aliases: [] }));
  const elsewhere = others.map((other) => new RegExp(`^${escapeRegExp(other)}`));
  bindParameters(declared, checkpoint, elsewhere, { shape: HINT, names: HINT });
  const arrays = new Map<string, NdArray>();
  for (const { name, stored } of tensors) arrays.set(name, await checkpoint.read(stored));
  return { sizes, arrays };
}

function declaredTensors(file: string, sizes: BpnetSizes) {
  try {
    return bpnet("", sizes).tensors.map(({ name, shape }) => ({ name: name.slice(1), shape }));
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new FormatError({ file }, cause.message, HINT, cause);
  }
}
