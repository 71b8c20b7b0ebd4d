import { FormatError } from "../../base/errors.ts";
import type { KerasFile, KerasLayer } from "../../net/arrays/keras.ts";
import { type KerasModel, openKeras } from "../../net/arrays/keras.ts";
import type { StoredBpnet } from "./keras-bpnet.ts";
import { readKerasBpnet } from "./keras-bpnet.ts";

/** Stored networks of a ChromBPNet, one or both. */
export type StoredChrombpnet =
  | { readonly bias: StoredBpnet; readonly accessibility?: undefined }
  | { readonly bias?: StoredBpnet; readonly accessibility: StoredBpnet };

/** The stored networks. */
export const networksOf = ({ bias, accessibility }: StoredChrombpnet): readonly StoredBpnet[] =>
  [bias, accessibility].filter((network) => network !== undefined);

/** Kinds of files: the enzyme bias alone, accessibility without bias, or both. */
export type ChrombpnetKind = "bias" | "no-bias" | "combined";

export function kindOf({ bias, accessibility }: StoredChrombpnet): ChrombpnetKind {
  if (accessibility === undefined) return "bias";
  return bias === undefined ? "no-bias" : "combined";
}

/** Prefix of the accessibility network's layers in the original. */
const ACCESSIBILITY_PREFIX = "wo_bias_";
/** Name of the accessibility network inside a combined model in the original. */
export const ACCESSIBILITY_MODEL = "model_wo_bias";

/** Layer that adds the counts of both networks, a Python function in the original. */
const COUNTS_LAYER = "logcount_predictions";

/**
 * Reads a ChromBPNet written by `chrombpnet` (`bias.h5`, `chrombpnet.h5`, `chrombpnet_nobias.h5`), by Keras 2
 * or 3. Python in the file is not run: the layer that adds the counts of both networks is recognised by its
 * name and two inputs, and implemented in `bpnet.ts`.
 *
 * @throws {FormatError} when the file has another model
 * @throws {InputError} when there is no such file
 */
export async function readChrombpnet(path: string): Promise<StoredChrombpnet> {
  await using file = await openKeras(path);
  const { layers } = file.model;
  const models = layers.filter(isSubmodel);
  if (models.length > 0) return readCombined(file, models);
  const network = readKerasBpnet(file, file.model);
  const isAccessibility = layers.some(({ name }) => name.startsWith(ACCESSIBILITY_PREFIX));
  return isAccessibility ? { accessibility: network } : { bias: network };
}

/** A layer that is a whole network. */
type Submodel = KerasLayer & { readonly model: KerasModel };

const isSubmodel = (layer: KerasLayer): layer is Submodel => layer.model !== undefined;

function readCombined(file: KerasFile, models: readonly Submodel[]): StoredChrombpnet {
  const accessibility = models.find(({ name }) => name === ACCESSIBILITY_MODEL);
  const bias = models.find(({ name }) => name !== ACCESSIBILITY_MODEL);
  if (accessibility === undefined || bias === undefined || models.length !== 2) {
    throw new FormatError(
      { file: file.path },
      `the models inside are ${models.map(({ name }) => name).join(", ")}; expected ${ACCESSIBILITY_MODEL} and a bias model`,
    );
  }
  checkTop(file, [bias, accessibility]);
  const read = ({ name, model }: Submodel) => readKerasBpnet(file, model, [name]);
  const stored = { bias: read(bias), accessibility: read(accessibility) };
  for (const length of ["inputLength", "outputLength"] as const) {
    const lengths = [stored.bias.sizes[length], stored.accessibility.sizes[length]];
    if (lengths[0] !== lengths[1]) {
      throw new FormatError(
        { file: file.path },
        `its two networks differ in ${length}: ${lengths.join(" and ")}`,
      );
    }
  }
  return stored;
}

/**
 * Checks the combined model: Input → both networks → Add of the profiles, and Concatenate → a layer without
 * weights for the counts.
 */
function checkTop(file: KerasFile, models: readonly KerasLayer[]): void {
  const { layers, outputs } = file.model;
  const names = models.map(({ name }) => name).sort();
  const readsBoth = (kind: string) =>
    layers.find((layer) => layer.kind === kind && String(layer.inputs.toSorted()) === String(names));
  const [input, profile, both] = [
    layers.find(({ kind }) => kind === "InputLayer"),
    readsBoth("Add"),
    readsBoth("Concatenate"),
  ];
  const counts = layers.find(({ name, inputs }) => name === COUNTS_LAYER && String(inputs) === both?.name);
  const known = [input, profile, both, counts, ...models];
  const fits =
    known.every((layer) => layer !== undefined && layers.includes(layer)) &&
    known.length === layers.length &&
    models.every(({ inputs }) => String(inputs) === input?.name) &&
    String(outputs) === `${profile?.name},${counts?.name}`;
  if (!fits) {
    throw new FormatError(
      { file: file.path },
      `the layers ${layers.map(({ name }) => name).join(", ")} are not connected as in ChromBPNet`,
    );
  }
}
