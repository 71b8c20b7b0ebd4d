import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { AskedArchitecture } from "../architecture.ts";
import type { LanguageModelCard } from "../card.ts";
import type { Programs } from "../programs.ts";

/** What a question over tokens needs of a language model. */
export interface TokenQuery {
  readonly kind: LanguageModelCard["kind"];
  readonly programs: Pick<Programs, "run">;
  readonly tokenizer: Tokenizer;
  readonly architecture: AskedArchitecture;
}
