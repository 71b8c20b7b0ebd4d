import { basename } from "node:path";
import { cachedDigest } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { bytesPerElement, type DType, elementCount, isFloat } from "../../net/arrays/array.ts";
import { cachedSearch, firstNotFinite } from "../../net/arrays/finite.ts";
import { widenToFloat32 } from "../../net/arrays/float-conversion.ts";
import { type Hdf5Array, type Hdf5File, openHdf5 } from "../../net/arrays/hdf5.ts";
import { LANGUAGE_MODELS } from "../language/catalogue.ts";
import type { Model, Origin, SequenceEmbedding } from "../model.ts";
import { fileSpec } from "./file-spec.ts";

/** Groups of the file, one per sequence of a row. */
const GROUPS = ["seq", "ctrl"] as const;

/** Embeddings of the rows [start, end) of a table: [rows, tokens, width], padded to the longest. */
interface StoredBatch {
  readonly start: number;
  readonly end: number;
  readonly states: Hdf5Array;
}

/** Embeddings of one sequence of every row. */
interface StoredMember {
  /** Consecutive batches of rows, ascending. */
  readonly batches: readonly StoredBatch[];
  /** Token of each base, per row or for all rows; or the range of tokens [0, L] as a pair. */
  readonly index: Hdf5Array;
}

/**
 * Opens embeddings extracted by DART-Eval's scripts as a model that looks them up: an HDF5 file with the
 * groups `seq` and, for rows with a control, `ctrl`, each with `emb_START_END`, [rows, tokens, width], and
 * `idx_var`, [rows, L], or `idx_fix`, [L] or the pair [0, L]. Rows are those of the task's whole table;
 * states are the original's under either protocol. Batches are sorted by number, since the file lists them in
 * lexicographic order (quirk Q2).
 *
 * The file does not name its model. `embeddings:family=caduceus,FILE.h5` does, and selects that family's
 * recipe for the head; without a family the common recipe applies.
 *
 * @param spec  `FILE.h5`, or `embeddings:family=NAME,FILE.h5`
 * @throws {FormatError} when parts of the file are missing or inconsistent, or a state is not finite
 * @throws {InputError} when there is no such family
 */
export async function openStoredEmbeddings(spec: string): Promise<Model> {
  const families = LANGUAGE_MODELS.map(({ name }) => name);
  const { path, options } = fileSpec(spec, "embeddings", { family: families });
  const digest = await cachedDigest(path);
  const file = await openHdf5(path);
  try {
    const groups = GROUPS.filter((group) => file.names(group).length > 0);
    if (groups[0] !== "seq") throw new FormatError({ file: path }, "the group seq is missing", LAYOUT);
    const members = groups.map((group) => memberOf(file, group));
    await checkFiniteStates(path, digest, members);
    return {
      name: basename(path).replace(/\.(h5|hdf5)$/, ""),
      identity: `embeddings ${digest}`,
      ...options,
      batchSize: 64,
      embed: (_sequences, { origins }) => {
        if (origins === undefined) {
          throw new InputError("stored embeddings exist for the rows of a task only", {
            place: { file: path },
          });
        }
        return origins.map((origin) => embeddingOf(path, members, origin));
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Types of states; int8 for one-hot sequences, which the original stores in the same format. */
const STATES: readonly DType[] = ["float16", "float32", "float64", "int8"];

const LAYOUT = "expected the format of DART-Eval's embedding scripts: seq/emb_0_512, seq/idx_var, …";

function memberOf(file: Hdf5File, group: string): StoredMember {
  const batches = file
    .names(group)
    .flatMap((name) => {
      const [, start, end] = /^emb_(\d+)_(\d+)$/.exec(name) ?? [];
      const states = file.array(`${group}/${name}`);
      if (start === undefined || end === undefined || states === undefined) return [];
      return [{ start: Number(start), end: Number(end), states }];
    })
    .sort((a, b) => a.start - b.start);
  const index = file.array(`${group}/idx_var`) ?? file.array(`${group}/idx_fix`);
  if (batches.length === 0 || index === undefined) {
    throw new FormatError(
      { file: file.path },
      `${group} has no emb_START_END, or no idx_var or idx_fix`,
      LAYOUT,
    );
  }
  const width = batches[0].states.shape[2];
  let next = 0;
  for (const { start, end, states } of batches) {
    const { path: tensor, shape, dtype } = states;
    if (start !== next) {
      throw new FormatError({ file: file.path, tensor }, `begins with row ${start}; expected row ${next}`);
    }
    if (!STATES.includes(dtype)) {
      throw new FormatError({ file: file.path, tensor }, `is ${dtype}; expected ${STATES.join(", ")}`);
    }
    if (shape.length !== 3 || shape[0] !== end - start || shape[2] !== width) {
      throw new FormatError(
        { file: file.path, tensor },
        `has shape [${shape}]; expected [${end - start}, tokens, ${width}]`,
      );
    }
    next = end;
  }
  const fits = index.path.endsWith("idx_fix")
    ? index.shape.length === 1
    : index.shape.length === 2 && index.shape[0] === next;
  if (!fits || !/^u?int(32|64)$/.test(index.dtype)) {
    throw new FormatError(
      { file: file.path, tensor: index.path },
      `is ${index.dtype} of shape [${index.shape}], for ${next} rows`,
    );
  }
  return { batches, index };
}

/** Bytes of states read at once, at least one chunk of rows. */
const BYTES_AT_ONCE = 2 ** 24;

/** Checks that all states are finite, also as float32. The result is cached by the digest of the file. */
async function checkFiniteStates(file: string, digest: string, members: readonly StoredMember[]) {
  const found = await cachedSearch({ embeddings: digest }, async () => {
    for (const { states } of members.flatMap(({ batches }) => batches)) {
      const { path: tensor, shape, dtype, rowsPerChunk } = states;
      if (!isFloat(dtype)) continue;
      const [rows, ...rest] = shape;
      const perRow = elementCount(rest);
      const fit = Math.floor(BYTES_AT_ONCE / Math.max(1, perRow * bytesPerElement(dtype)));
      const step = Math.max(1, Math.floor(fit / rowsPerChunk)) * rowsPerChunk;
      for (let start = 0; start < rows; start += step) {
        const { data } = states.read([start, Math.min(start + step, rows)]);
        const at = firstNotFinite(dtype, data);
        if (at < 0) continue;
        const value = String(widenToFloat32(dtype, data.slice(at, at + 1))[0]);
        return { tensor, element: start * perRow + at, value };
      }
    }
    return null;
  });
  if (found === null) return;
  const { tensor, element, value } = found;
  throw new FormatError(
    { file, tensor },
    `element ${element} is ${value}: every state must be a finite number`,
    "extract the embeddings again, with float32 if float16 overflows",
  );
}

function embeddingOf(
  path: string,
  members: readonly StoredMember[],
  { row, member }: Origin,
): SequenceEmbedding {
  const stored = members[member];
  const batch = stored?.batches.find(({ start, end }) => start <= row && row < end);
  if (stored === undefined || batch === undefined) {
    const known = stored?.batches.at(-1)?.end ?? 0;
    throw new InputError(`no embedding of sequence ${member} of row ${row}: the file has ${known} rows`, {
      place: { file: path },
      hint: "is the file of this table? Rows are numbered in the whole table, over all chromosomes",
    });
  }
  const at = row - batch.start;
  const { shape, data, dtype } = batch.states.read([at, at + 1]);
  const [, tokens, width] = shape;
  const states = data instanceof Int8Array ? Float32Array.from(data) : widenToFloat32(dtype, data);
  return { states, tokens, width, ...spansOf(stored.index, row, tokens) };
}

/** Bases [start, end) of each token, from the token index of each base. */
function spansOf(index: Hdf5Array, row: number, tokens: number) {
  const { data } = index.shape.length === 2 ? index.read([row, row + 1]) : index.read();
  const numbers = Int32Array.from<number | bigint>(data, Number);
  const pair = index.shape.length === 1 && numbers.length === 2;
  const map = pair ? Int32Array.from({ length: numbers[1] - numbers[0] }, (_, i) => numbers[0] + i) : numbers;
  const starts = new Int32Array(tokens);
  const ends = new Int32Array(tokens);
  map.forEach((token, base) => {
    if (token >= tokens) {
      throw new InputError(`base ${base} of row ${row} has token ${token}, but the row has ${tokens} tokens`);
    }
    if (ends[token] === 0) starts[token] = base;
    ends[token] = base + 1;
  });
  return { starts, ends };
}
