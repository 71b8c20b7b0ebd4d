import { collate } from "../../../src/models/language/collate.ts";
import type { GraphQuery, TokenQuery } from "../../../src/models/queries/programs.ts";

const allLogits: GraphQuery = {
  name: "all-logits",
  outputs: (model, given, tokens) => ({ logits: model.forward(given, tokens).logits }),
};

/** log P of every token of the vocabulary at every position of one row, with a float64 softmax: [t][v]. */
export async function plainLogSoftmax({ programs }: TokenQuery, ids: Int32Array): Promise<Float64Array[]> {
  const { logits } = await programs.run(allLogits, collate([{ ids }]));
  const vocabulary = logits.shape[2];
  return Array.from(ids, (_, place) => {
    const row = Float64Array.from(
      (logits.data as Float32Array).subarray(place * vocabulary, (place + 1) * vocabulary),
    );
    const sum = row.reduce((all, value) => all + Math.exp(value), 0);
    return row.map((value) => value - Math.log(sum));
  });
}
