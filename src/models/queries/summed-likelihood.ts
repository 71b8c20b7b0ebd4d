import { InternalError } from "../../base/errors.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { dataOf } from "../../net/arrays/array.ts";
import { add, exp, log, reduceMax, reduceSum, squeeze, sub } from "../../net/graph/build.ts";
import { chunks, collate, rowsPerRun } from "../language/collate.ts";
import type { QueryOptions } from "../model.ts";
import { type GraphQuery, type TokenQuery, targetLogProbabilities } from "./programs.ts";

/** Probabilities of tokens that are added. */
export interface SummedPrediction {
  readonly ids: Int32Array;
  /** Position whose logits are read, 0-based, special tokens counted. */
  readonly token: number;
  readonly targets: Int32Array;
}

/**
 * log P(bases | tokens before) of bases too few for a k-mer, at the end of rows: the sum over the k-mers that
 * begin with them, from the softmax over the whole vocabulary.
 *
 * @param rows  with `remainder`
 * @returns     one number per row, nats
 */
export async function remainderLogProbabilities(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: Partial<QueryOptions>,
): Promise<Float64Array> {
  const predictions = rows.map(({ ids, remainder }): SummedPrediction => {
    if (remainder === undefined) throw new InternalError("a row without a remainder");
    const before = ids.slice(0, ids.length - query.tokenizer.after.length - 1);
    return { ids: before, token: before.length - 1, targets: remainder };
  });
  return summedLogProbabilities(query, predictions, options);
}

/** log Σ P(target) at one position of each row. */
const summedQuery: GraphQuery = {
  name: "summed-prediction",
  outputs(model, given, tokens) {
    const terms = targetLogProbabilities(model, given, tokens); // [b, k]
    const most = reduceMax(terms, [1], { keepDims: true });
    const total = add(log(reduceSum(exp(sub(terms, most)), [1])), squeeze(most, 1));
    return { logProbabilities: total };
  },
};

/** log Σ P(target) of each prediction, from the softmax over the whole vocabulary, nats. */
export async function summedLogProbabilities(
  { programs, architecture }: TokenQuery,
  predictions: readonly SummedPrediction[],
  { signal }: Partial<QueryOptions>,
): Promise<Float64Array> {
  const found = new Float64Array(predictions.length);
  const groups = new Map<string, number[]>();
  predictions.forEach(({ ids, targets }, i) => {
    const key = `${ids.length} ${targets.length}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  for (const group of groups.values()) {
    const tokens = predictions[group[0]].ids.length;
    for (const members of chunks(group, rowsPerRun(architecture, tokens))) {
      signal?.throwIfAborted();
      const together = members.map((i) => predictions[i]);
      const wide = together[0].targets.length;
      const targets = new Int32Array(together.length * wide);
      together.forEach((each, i) => {
        targets.set(each.targets, i * wide);
      });
      const positions = Int32Array.from(together, ({ token }) => token);
      const { logProbabilities } = await programs.run(summedQuery, collate(together), {
        positions: { dtype: "int32", shape: [together.length], data: positions },
        targets: { dtype: "int32", shape: [together.length, wide], data: targets },
      });
      const values = dataOf(logProbabilities, "float32");
      members.forEach((i, at) => {
        found[i] = values[at];
      });
    }
  }
  return found;
}
