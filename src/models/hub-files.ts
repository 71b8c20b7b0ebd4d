import { InputError } from "../base/errors.ts";

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the contents, for a file kept in large-file storage. */
  readonly sha256: string | undefined;
  /** Git's name of the contents, or of the pointer where the contents are in large-file storage. */
  readonly gitBlob: string;
}

/** Weights in the order of preference: the file itself, or an index with the shards it goes with. */
const WEIGHTS: readonly RegExp[] = [
  /^model\.safetensors$/,
  /^model(\.safetensors\.index\.json|-\d+-of-\d+\.safetensors)$/,
  /^pytorch_model\.bin$/,
  /^pytorch_model(\.bin\.index\.json|-\d+-of-\d+\.bin)$/,
];

/** Configuration and vocabulary. Python code in a repository is never fetched. */
const BESIDE = /^[^/]+\.(json|txt|model)$/;

/**
 * The files of a repository that a checkpoint consists of: its weights in one format, configuration and vocabulary.
 * @throws {InputError} when there are no weights that can be read
 */
export function checkpointFiles(repo: string, files: readonly HubFile[]): readonly HubFile[] {
  const format = WEIGHTS.find((format) => files.some(({ path }) => format.test(path)));
  if (format === undefined) {
    throw new InputError(`${repo} has neither model.safetensors nor pytorch_model.bin`, {
      hint: `it has ${files
        .map(({ path }) => path)
        .slice(0, 12)
        .join(", ")}`,
    });
  }
  const isOther = (path: string) => WEIGHTS.some((other) => other !== format && other.test(path));
  return files.filter(({ path }) => format.test(path) || (BESIDE.test(path) && !isOther(path)));
}
