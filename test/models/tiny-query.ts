import type { Tokenizer, Tokens } from "../../src/dna/tokenizers/tokenizer.ts";
import type { Architecture } from "../../src/models/language/architecture.ts";
import type { Batch } from "../../src/models/language/collate.ts";
import { Programs, type TokenQuery } from "../../src/models/queries/programs.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";

/** Tokens from their ids; each except the first and last covers one base. */
export function tokensOf(ids: readonly number[]): Tokens {
  const starts = Int32Array.from(ids, (_, i) => Math.max(0, i - 1));
  const ends = Int32Array.from(ids, (_, i) => (i === 0 || i === ids.length - 1 ? starts[i] : i));
  return { ids: Int32Array.from(ids), starts, ends };
}

/** A query of a model with weights in memory. */
export function tinyQuery(
  architecture: Architecture,
  weights: ReadonlyMap<string, NdArray>,
  special: Pick<Tokenizer, "special" | "before" | "after">,
  kind: TokenQuery["kind"] = "masked",
): TokenQuery & { close(): Promise<void> } {
  const read = async (name: string) => weights.get(name)!;
  const programs = new Programs(architecture, weights, read, {});
  const tokenizer: Tokenizer = {
    name: "tiny",
    kind: "bpe",
    vocabularySize: architecture.vocabulary,
    ...special,
    encode() {
      throw new Error("rows of ids are given");
    },
    token: () => undefined,
  };
  return { kind, programs, tokenizer, architecture, close: () => programs.close() };
}

/** The query with counters of the rows and tokens it has run. */
export function counted(query: TokenQuery): { readonly query: TokenQuery; rows: number; tokens: number } {
  const counter = { query, rows: 0, tokens: 0 };
  counter.query = {
    ...query,
    programs: {
      run(question, batch: Batch, more) {
        counter.rows += batch.ids.shape[0];
        counter.tokens += batch.ids.data.length;
        return query.programs.run(question, batch, more);
      },
    },
  };
  return counter;
}
