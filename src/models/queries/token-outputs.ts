import { InputError } from "../../base/errors.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import type { EmbedOptions, SequenceEmbedding } from "../model.ts";
import type { Question } from "../programs.ts";
import { collate, longest, pieces, rowsPerRun, runsOfEqualLength } from "./collate.ts";
import type { TokenQuery } from "./token-query.ts";

/** Token states of one sequence, and the model's guess at every token where it was asked for. */
export interface TokenOutputs extends SequenceEmbedding {
  /** [tokens, vocabulary], row-major, before the softmax. */
  readonly logits?: Float32Array;
}

const states: Question = {
  name: "states",
  outputs: (model, given, tokens) => ({ states: model.forward(given, tokens).lastHidden }),
};

const statesAndLogits: Question = {
  name: "states-and-logits",
  outputs(model, given, tokens) {
    const { lastHidden, logits } = model.forward(given, tokens);
    return { states: lastHidden, logits };
  },
};

/**
 * The last hidden state of every token of every row, and on request the logits of the same pass.
 *
 * `corrected`: rows of equal length are run together, so that nothing is padded and a row's states depend on the row alone.
 *
 * `paper`: the rows given are one batch of the original and are padded to the longest of them. Padding is seen by the
 * model like any token unless `paddingHidden`: the original passed no attention mask when it extracted embeddings (quirk
 * Q7), so states depend on the batch; it passed one when it compared alleles. States of padding are given back too.
 *
 * @throws {InputError} when rows must be padded and the tokenizer has no padding token
 */
export async function tokenOutputs(
  query: TokenQuery,
  rows: readonly Tokens[],
  { protocol, paddingHidden = false, padTo = 0, signal }: EmbedOptions,
  { logits = false } = {},
): Promise<readonly TokenOutputs[]> {
  const { architecture, programs, tokenizer } = query;
  const together = protocol === "paper" ? Math.max(longest(rows), padTo) : undefined;
  const runs =
    together === undefined
      ? runsOfEqualLength(rows, architecture)
      : pieces([...rows.keys()], rowsPerRun(architecture, together));
  const outputs: TokenOutputs[] = [];
  for (const members of runs) {
    signal?.throwIfAborted();
    const given = members.map((row) => rows[row]!);
    const tokens = together ?? longest(given);
    const pad = given.some(({ ids }) => ids.length < tokens) ? padId(tokenizer) : 0;
    const batch = collate(given, { pad, tokens });
    if (together !== undefined && !paddingHidden) (batch.mask.data as Float32Array).fill(1);
    const results = await programs.run(logits ? statesAndLogits : states, batch);
    members.forEach((row, i) => {
      const part = (of: "states" | "logits", width: number) =>
        (results[of]!.data as Float32Array).slice(i * tokens * width, (i + 1) * tokens * width);
      const width = results.states!.shape[2]!;
      outputs[row] = {
        states: part("states", width),
        tokens,
        width,
        starts: padded(rows[row]!.starts, tokens),
        ends: padded(rows[row]!.ends, tokens),
        ...(logits ? { logits: part("logits", architecture.vocabulary) } : {}),
      };
    });
  }
  return outputs;
}

/** Padding covers no bases. */
function padded(places: Int32Array, tokens: number): Int32Array {
  if (places.length === tokens) return places;
  const longer = new Int32Array(tokens);
  longer.set(places);
  return longer;
}

function padId({ name, special }: TokenQuery["tokenizer"]): number {
  if (special.pad !== undefined) return special.pad;
  throw new InputError(`the tokenizer ${name} has no padding token, and the rows are not equally long`, {
    hint: "its files must name one as pad_token; or use the corrected protocol, which pads nothing",
  });
}
