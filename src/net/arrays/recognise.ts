import { FormatError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";

export type CheckpointFormat = "safetensors" | "torch";

interface Refusal {
  readonly bytes: readonly number[];
  readonly at?: number;
  readonly is: string;
  readonly hint: string;
}

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const SAVE_AGAIN =
  "save it again with PyTorch 1.6 or later: torch.save(torch.load(path, weights_only=True), path)";

/** What lies where a checkpoint was expected, often enough to have its own sentence. */
const REFUSED: readonly Refusal[] = [
  { bytes: [0x80, 0x02, 0x8a, 0x0a], is: "in PyTorch's format of before version 1.6", hint: SAVE_AGAIN },
  {
    bytes: ascii("ustar"),
    at: 257,
    is: "a tar archive, PyTorch's format of before version 0.1.10",
    hint: SAVE_AGAIN,
  },
  {
    bytes: [0x80],
    is: "a bare pickle, not a PyTorch checkpoint",
    hint: "save the state dict with torch.save",
  },
  {
    bytes: [0x1f, 0x8b],
    is: "compressed with gzip",
    hint: "unpack it first: weights are used where they lie in the file",
  },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], is: "compressed with zstd", hint: "unpack it first" },
  {
    bytes: [0x89, ...ascii("HDF\r\n")],
    is: "an HDF5 file (Keras or TensorFlow)",
    hint: "convert it to safetensors, or look for model.safetensors at the same source",
  },
  {
    bytes: ascii("version https://git-lfs"),
    is: "a Git LFS pointer, not the file it points to",
    hint: "fetch the file itself with: git lfs pull",
  },
  { bytes: ascii("<!"), is: "a web page", hint: "was a page of the site saved in place of the file?" },
  { bytes: ascii("<html"), is: "a web page", hint: "was a page of the site saved in place of the file?" },
];

/**
 * The format of a checkpoint file, by its first bytes; its name does not matter.
 * @throws {FormatError} that says what the file is instead, and what to do with it
 */
export async function recogniseCheckpoint(file: OpenFile): Promise<CheckpointFormat> {
  const start = await file.read(0, Math.min(file.size, 512));
  const has = (bytes: readonly number[], at = 0) => bytes.every((byte, i) => start[at + i] === byte);
  if (start[8] === "{".charCodeAt(0)) return "safetensors";
  if (has(ascii("PK\x03\x04"))) return "torch";
  for (const { bytes, at, is, hint } of REFUSED) {
    if (has(bytes, at)) throw new FormatError({ file: file.path }, `this is ${is}`, hint);
  }
  const what =
    file.size === 0 ? "the file is empty" : "this is neither a safetensors file nor a PyTorch checkpoint";
  throw new FormatError({ file: file.path }, what, "was it downloaded completely?");
}
