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

const ROLES = ["pad", "mask", "cls", "sep", "unk", "bos", "eos"] as const;

/**
 * Which token plays which part, from the `pad_token`, `mask_token` … of a model's `tokenizer_config.json` and
 * `special_tokens_map.json`. A part that no file gives goes to `[PAD]` or `<pad>` and so on, where the vocabulary has it.
 * A name that is not in the vocabulary has no id and stays out.
 *
 * @param files  contents of those files, the one that decides first
 */
export function specialTokens(
  vocabulary: ReadonlyMap<string, number>,
  files: readonly Readonly<Record<string, unknown>>[],
): SpecialTokens {
  const special: { -readonly [role in keyof SpecialTokens]: number } = {};
  for (const role of ROLES) {
    const given = files.map((file) => nameOf(file[`${role}_token`])).find((name) => name !== undefined);
    const names = given === undefined ? [`[${role.toUpperCase()}]`, `<${role}>`] : [given];
    const id = names.map((name) => vocabulary.get(name)).find((known) => known !== undefined);
    if (id !== undefined) special[role] = id;
  }
  return special;
}

/** Older files have the token's text, newer ones an object around it. */
function nameOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "content" in value) return nameOf(value.content);
  return undefined;
}
