import { basename, join } from "node:path";
import { cachedDigest } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { textIfPresent } from "../../base/read-file.ts";
import type { WeightsFile } from "../settings/setting.ts";

/** Values of the placeholders in a path of weights. */
export interface WeightsPlace {
  /** Task that the weights were trained on. */
  readonly task: string;
  /** Its data set; undefined if it has only one, or is not open. */
  readonly "cell-line": string | undefined;
  readonly model: string;
  readonly setting: string;
}

/** Weights in a training folder of a run: a head or network, or LoRA factors with a classifier. */
const OWN_FILES = ["best.safetensors", "adapter.safetensors"] as const;

const LOG = "train.log";

/**
 * Finds the file of trained weights that a cell evaluates.
 *
 * In a folder: `best.safetensors` or `adapter.safetensors`, as runs write them, or, as DART-Eval chooses, the
 * `checkpoint_N.pt` of the first epoch N with the smallest `val_loss` in `train.log`.
 *
 * @param path   a file or a folder, with placeholders: `{task}`, `{cell-line}`, `{model}`, `{setting}`
 * @throws {InputError} when a placeholder has no value, or the file is missing
 * @throws {FormatError} when `train.log` is not a table of epochs
 */
export async function weightsOfCell(path: string, place: WeightsPlace): Promise<WeightsFile> {
  const file = await weightsIn(filled(path, place));
  return { file, sha256: await cachedDigest(file) };
}

function filled(path: string, place: WeightsPlace): string {
  const values = new Map<string, string | undefined>(Object.entries(place));
  return path.replace(/\{([^{}]*)\}/g, (text, name: string) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    const known = [...values.keys()].map((each) => `{${each}}`).join(", ");
    throw new InputError(
      values.has(name)
        ? `${text} in the path of the weights has no value: ${place.task} has no named data set here`
        : `${text} in the path of the weights is not a placeholder`,
      { hint: values.has(name) ? "write the name instead" : `placeholders: ${known}` },
    );
  });
}

async function weightsIn(path: string): Promise<string> {
  const kind = await kindOfPath(path);
  if (kind === undefined) {
    throw new InputError("no trained weights found", {
      place: { file: path },
      hint: "give a file (best.safetensors, adapter.safetensors, checkpoint_N.pt) or a folder with one",
    });
  }
  if (kind === "file") return path;
  const names = await namesInFolder(path);
  const own = OWN_FILES.find((name) => names.includes(name));
  if (own !== undefined) return join(path, own);
  const log = await textIfPresent(join(path, LOG));
  if (log === undefined) {
    const checkpoints = names.filter((name) => /\.(pt|safetensors)$/.test(name));
    throw new InputError(`the folder has none of ${[...OWN_FILES, LOG].join(", ")}`, {
      place: { file: path },
      hint:
        checkpoints.length === 0
          ? "give a file with weights, or another folder"
          : `name one file: ${checkpoints.slice(0, 4).join(", ")}${checkpoints.length > 4 ? ", …" : ""}`,
    });
  }
  const name = `checkpoint_${bestLoggedEpoch(join(path, LOG), log)}.pt`;
  if (names.includes(name)) return join(path, name);
  throw new InputError(`the folder lacks ${name}, the epoch with the smallest val_loss in ${LOG}`, {
    place: { file: path },
    hint: "give the file of the epoch to evaluate",
  });
}

/** First epoch with the smallest `val_loss`; epochs without a loss are skipped, as pandas does. */
function bestLoggedEpoch(file: string, text: string): number {
  const [header = [], ...rows] = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split("\t"));
  const [epochAt, lossAt] = [header.indexOf("epoch"), header.indexOf("val_loss")];
  if (epochAt === -1 || lossAt === -1) {
    throw new FormatError(
      { file, line: 1 },
      "the header lacks epoch or val_loss, separated by tabs",
      `name the checkpoint's file instead of a folder with ${basename(file)}`,
    );
  }
  let best: { readonly epoch: number; readonly loss: number } | undefined;
  for (const [i, cells] of rows.entries()) {
    const epoch = Number(cells[epochAt] || Number.NaN);
    const loss = numberOrNaN(cells[lossAt]);
    if (!Number.isSafeInteger(epoch) || loss === undefined) {
      throw new FormatError({ file, line: i + 2 }, "the line has no numbers for epoch and val_loss");
    }
    if (loss < (best?.loss ?? Number.POSITIVE_INFINITY)) best = { epoch, loss };
  }
  if (best === undefined) throw new FormatError({ file }, "no epoch has a val_loss");
  return best.epoch;
}

/** Undefined for text that is not a number; Python writes nan and inf. */
function numberOrNaN(text = ""): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const number = /^[+-]?inf$/i.test(text) ? Number.POSITIVE_INFINITY : Number(text.trim() || Number.NaN);
  return Number.isNaN(number) ? undefined : number;
}
