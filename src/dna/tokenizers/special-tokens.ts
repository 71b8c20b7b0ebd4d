/** Ids of the tokens that stand for no base, as far as a model's files name them. */
export interface SpecialTokens {
  /** Fills short rows of a batch. */
  readonly pad?: number;
  /** Hides a token that a masked model is to guess. */
  readonly mask?: number;
  readonly cls?: number;
  readonly sep?: number;
  /** Stands for letters that are not in the vocabulary. */
  readonly unk?: number;
  readonly bos?: number;
  readonly eos?: number;
}
