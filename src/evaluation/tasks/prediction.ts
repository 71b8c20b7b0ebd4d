import { InternalError } from "../../base/errors.ts";
import type { Numbers } from "../../base/typed-numbers.ts";

/**
 * Facts of a row that metrics need besides its prediction, such as its position and label. They are stored
 * with the prediction, so that merging needs neither the genome nor the table.
 */
export type RowFacts = Readonly<Record<string, string | number>>;

/** One log-likelihood per sequence of the row. */
export interface LikelihoodPrediction<Row extends RowFacts = RowFacts> {
  readonly kind: "likelihood";
  /** 0-based number of the row in the whole prepared table, before any selection: the row's identity. */
  readonly row: number;
  /** Nats, one per member of the row, in the order of `Task.members`. */
  readonly values: readonly number[];
  /** Tokens per member, special ones included; absent when the model does not count tokens. */
  readonly tokens?: readonly number[];
  readonly facts: Row;
}

/** Logits of a trained classifier for each sequence of the row. */
export interface LogitsPrediction<Row extends RowFacts = RowFacts> {
  readonly kind: "logits";
  /** 0-based number of the row in the whole prepared table, before any selection: the row's identity. */
  readonly row: number;
  /** [members][classes], in the order of `Task.members`. */
  readonly logits: readonly (readonly number[])[];
  readonly facts: Row;
}

/**
 * Variants of computations with embeddings, which differ between protocols: the precision of a distance
 * (quirk Q16), and the order of vectors, by file or by names of batches as texts (quirk Q2).
 */
const EMBEDDING_VARIANTS = ["float32", "float64", "file-order", "text-order"] as const;
export type EmbeddingVariant = (typeof EMBEDDING_VARIANTS)[number];

/** Distances between the embeddings of the row's members. */
export interface DistancePrediction<Row extends RowFacts = RowFacts> {
  readonly kind: "distance";
  /** 0-based number of the row in the whole prepared table, before any selection: the row's identity. */
  readonly row: number;
  /** Cosine distances of the row's first member to each of the others, in the order of `Task.members`. */
  readonly values: readonly number[];
  /** Distances by other variants, to measure their effect. */
  readonly byVariant?: Readonly<Partial<Record<EmbeddingVariant, readonly number[]>>>;
  readonly facts: Row;
}

/** The pooled embedding of each sequence of the row. */
export interface VectorPrediction<Row extends RowFacts = RowFacts> {
  readonly kind: "vector";
  /** 0-based number of the row in the whole prepared table, before any selection: the row's identity. */
  readonly row: number;
  /** Little-endian float32 in base64, one text per member, in the order of `Task.members`. */
  readonly vectors: readonly string[];
  /** Vectors by other variants, to measure their effect. */
  readonly byVariant?: Readonly<Partial<Record<EmbeddingVariant, readonly string[]>>>;
  readonly facts: Row;
}

/** The predicted activity of each sequence of the row. */
export interface ActivityPrediction<Row extends RowFacts = RowFacts> {
  readonly kind: "activity";
  /** 0-based number of the row in the whole prepared table, before any selection: the row's identity. */
  readonly row: number;
  /** log(1 + counts), nats, one per member of the row, in the order of `Task.members`. */
  readonly values: readonly number[];
  readonly facts: Row;
}

/** A model's prediction for one row of a task. */
export type Prediction<Row extends RowFacts = RowFacts> =
  | LikelihoodPrediction<Row>
  | LogitsPrediction<Row>
  | DistancePrediction<Row>
  | VectorPrediction<Row>
  | ActivityPrediction<Row>;

/** Predictions in some order: an array, or columns that make objects one at a time. */
export interface Predictions<Row extends RowFacts = RowFacts> extends Iterable<Prediction<Row>> {
  readonly length: number;
}

/** Predictions of one kind. @throws {InternalError} as `asKind` */
export function ofKind<Kind extends Prediction["kind"], Row extends RowFacts>(
  kind: Kind,
  predictions: Predictions<Row>,
): PredictionOf<Kind, Row>[] {
  return Array.from(predictions, (prediction) => asKind(kind, prediction));
}

/**
 * @throws {InternalError} when the prediction is of another kind: a setting gave what the task does not
 * measure
 */
export function asKind<Kind extends Prediction["kind"], Row extends RowFacts>(
  kind: Kind,
  prediction: Prediction<Row>,
): PredictionOf<Kind, Row> {
  if (isKind(kind, prediction)) return prediction;
  throw new InternalError(`row ${prediction.row} has ${prediction.kind}, and ${kind} was expected`);
}

type PredictionOf<Kind extends Prediction["kind"], Row extends RowFacts> = Extract<
  Prediction<Row>,
  { kind: Kind }
>;

const isKind = <Kind extends Prediction["kind"], Row extends RowFacts>(
  kind: Kind,
  prediction: Prediction<Row>,
): prediction is PredictionOf<Kind, Row> => prediction.kind === kind;

const VALUES = "values";

export const TOKENS = "tokens";

type Part = readonly [name: string, values: ArrayLike<number>];

/** Everything of a prediction but its row and facts, as named lists of numbers. */
export function partsOf(prediction: Prediction): readonly Part[] {
  switch (prediction.kind) {
    case "likelihood": {
      const { values, tokens } = prediction;
      return tokens === undefined ? [[VALUES, values]] : [[VALUES, values], [TOKENS, tokens]]; // biome-ignore format: pairs
    }
    case "activity":
      return [[VALUES, prediction.values]];
    case "logits":
      return prediction.logits.map((logits, member): Part => [`member ${member}`, logits]);
    case "distance": {
      const others = Object.entries(prediction.byVariant ?? {});
      return [[VALUES, prediction.values], ...others];
    }
    case "vector": {
      const ofMembers = (of: string, vectors: readonly string[]) =>
        vectors.map((vector, member): Part => [`${of}member ${member}`, floatsOf(vector)]);
      const others = Object.entries(prediction.byVariant ?? {});
      return [
        ...ofMembers("", prediction.vectors),
        ...others.flatMap(([variant, vectors]) => ofMembers(`${variant} `, vectors)),
      ];
    }
  }
}

/** The inverse of `partsOf`. */
export function predictionOfParts<Row extends RowFacts>(
  kind: Prediction["kind"],
  row: number,
  facts: Row,
  part: (name: string) => Numbers | undefined,
): Prediction<Row> {
  const values = () => {
    const found = part(VALUES);
    if (found === undefined) throw new InternalError(`row ${row} of kind ${kind} has no ${VALUES}`);
    // `Array.from` takes four times as long.
    const list = new Array<number>(found.length);
    for (let i = 0; i < list.length; i++) list[i] = found[i];
    return list;
  };
  const members = <T>(of: string, read: (numbers: Numbers) => T): T[] => {
    const found: T[] = [];
    for (
      let numbers = part(`${of}member 0`);
      numbers !== undefined;
      numbers = part(`${of}member ${found.length}`)
    ) {
      found.push(read(numbers));
    }
    return found;
  };
  const others = <T>(read: (variant: EmbeddingVariant) => T | undefined) => {
    const found = EMBEDDING_VARIANTS.flatMap((variant) => {
      const value = read(variant);
      return value === undefined ? [] : [[variant, value] as const];
    });
    return found.length === 0 ? {} : { byVariant: Object.fromEntries(found) };
  };
  switch (kind) {
    case "likelihood": {
      const tokens = part(TOKENS);
      return { kind, row, values: values(), ...(tokens && { tokens: Array.from(tokens) }), facts };
    }
    case "activity":
      return { kind, row, values: values(), facts };
    case "logits":
      return { kind, row, logits: members("", (logits) => Array.from(logits)), facts };
    case "distance": {
      const byVariant = others((variant) => {
        const distances = part(variant);
        return distances && Array.from(distances);
      });
      return { kind, row, values: values(), ...byVariant, facts };
    }
    case "vector": {
      const byVariant = others((variant) => {
        const vectors = members(`${variant} `, base64Of);
        return vectors.length === 0 ? undefined : vectors;
      });
      return { kind, row, vectors: members("", base64Of), ...byVariant, facts };
    }
  }
}

/** Numbers of a vector: little-endian float32 in base64. */
function floatsOf(vector: string): Float32Array<ArrayBuffer> {
  const bytes = Buffer.from(vector, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** Numbers as little-endian float32 in base64. */
export function base64Of(numbers: ArrayLike<number>): string {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (let i = 0; i < numbers.length; i++) bytes.writeFloatLE(numbers[i], 4 * i);
  return bytes.toString("base64");
}
