import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import type { QueryOptions, SequenceEmbedding } from "../model.ts";
import type { Question } from "../programs.ts";
import { collate, groupByLength } from "./collate.ts";
import type { TokenQuery } from "./token-query.ts";

const question: Question = {
  name: "last-hidden",
  outputs: ({ lastHidden }) => ({ lastHidden }),
};

/** The last hidden state of every token of every row; rows of equal length share a batch, so nothing is padded. */
export async function lastHiddenStates(
  { programs }: TokenQuery,
  rows: readonly Tokens[],
  { signal }: QueryOptions,
): Promise<readonly SequenceEmbedding[]> {
  const embeddings: SequenceEmbedding[] = [];
  for (const [tokens, members] of groupByLength(rows)) {
    signal?.throwIfAborted();
    const { lastHidden } = await programs.run(question, collate(members.map((row) => rows[row]!)));
    const width = lastHidden!.shape[2]!;
    members.forEach((row, i) => {
      const states = (lastHidden!.data as Float32Array).slice(i * tokens * width, (i + 1) * tokens * width);
      const { starts, ends } = rows[row]!;
      embeddings[row] = { states, tokens, width, starts, ends };
    });
  }
  return embeddings;
}
