/** Way to evaluate a checkpoint of the hub. */
export type Service =
  /** Its architecture is computed by a family of this package: `--model hf:ORG/NAME`. */
  | { readonly by: "family"; readonly family: string }
  /** Its architecture is a class of Transformers: `python3 -m dart_eval_adapter ORG/NAME`. */
  | { readonly by: "bridge" }
  /** Its architecture is code of its repository or of another package, which a script of the user runs. */
  | { readonly by: "script"; readonly needs: string };

/** A public checkpoint that is not one of a family's published checkpoints. */
export interface HubCheckpoint {
  readonly repo: string;
  /** Class in config.json or, without one, the name of the architecture. */
  readonly architecture: string;
  readonly tokens?: string;
  /** Values of all weights, as stored. */
  readonly parameters?: number;
  /** Context that the authors state, in tokens. */
  readonly context?: number;
  readonly trainedOn: string;
  /** Licence of the weights that the repository states. */
  readonly licence?: string;
  readonly service: Service;
  /** Values of config.json that determine the sizes, for some checkpoints of the families. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Tokens of 350 bases, special tokens included, next to `config`. */
  readonly tokensOf350?: number;
}

type Facts = Omit<HubCheckpoint, "repo" | "service">;
type Row = readonly [repo: string, facts: Partial<Facts>];

/** Checkpoints that share some facts; `{}` in a name stands for the rest of the repository's name. */
export function group(name: string, service: Service, shared: Partial<Facts>, rows: readonly Row[]) {
  return rows.map(([rest, own]): HubCheckpoint => {
    const facts = { architecture: "", trainedOn: "", ...shared, ...own };
    return { repo: name.replace("{}", rest), service, ...facts };
  });
}
