import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { valueAt, withoutUndefined } from "../../base/record.ts";
import { cosineDistance, paperCosineDistance } from "../../metrics/cosine.ts";
import { type Model, type Origin, supports } from "../../models/model.ts";
import { poolSequences } from "../../models/queries/embeddings.ts";
import type { EmbeddingVariant, Prediction } from "../tasks/prediction.ts";
import { base64Of } from "../tasks/prediction.ts";
import { type Recipe, readRecipe } from "../tasks/recipe.ts";
import type { Task } from "../tasks/task.ts";
import type { Example, SequenceFile } from "../tasks/task-rows.ts";
import { distinct } from "./distinct.ts";
import { OriginalBatches, sequenceFiles, textOrder } from "./sequence-files.ts";
import type { Setting, SettingContext } from "./setting.ts";

const recipeSchema = z.object({
  /** Cosine distances of a row's first member to the others, or the vectors themselves. */
  answer: z.enum(["distance", "vector"]),
  /** Tokens of the mean: those of the bases, or (under `paper`) the padded row. */
  pooling: z.enum(["bases", "row"]),
  /** The original's batch size: under `paper` a sequence is padded to the longest of its batch (quirk Q7). */
  extractionBatchSize: z.int().positive(),
  /** Order of vectors: file order, or batches sorted by name as texts (quirk Q2). */
  order: z.enum(["file", "text"]),
  /** Includes the other order as well, at twice the cost. */
  bothOrders: z.boolean(),
});

type EmbeddingRecipe = z.infer<typeof recipeSchema>;

/**
 * Zero-shot by embedding: a sequence's vector is the mean of the model's last hidden states, without
 * training.
 *
 * `corrected`: states of the bases' tokens, without padding, distances in float64. `paper`: pooling and
 * padding of the original's scripts, distances in float32. Predictions include the distances in the other
 * precision and, if requested, in the other order.
 */
export const zeroShotEmbedding: Setting<"zero-shot-embedding"> = {
  name: "zero-shot-embedding",
  title: "zero-shot embedding",
  description:
    "Zero-shot embedding: the model's embeddings of sequences are compared by distance or clustered; nothing is trained.",
  publishedAs: ["zero_shot_embedding"],
  readyAtOnce: true,
  query: "embedding",
  unsupportedReason(_task: Task, model: Model) {
    if (supports(model, "pool") || supports(model, "embed")) return undefined;
    return "it has no embeddings (no `pool` or `embed`), which zero-shot-embedding requires";
  },
  sequencesPerRow: (task) => task.members.length,
  checkRecipe: (recipe: Recipe) => void readRecipe(recipeSchema, recipe),
  async open(context) {
    const embedding = new Embedding(context, readRecipe(recipeSchema, context.recipe));
    return { predict: (examples) => embedding.answer(examples), async close() {} };
  },
};

/** A sequence whose vector is needed. */
interface Query {
  readonly bases: string;
  readonly padTo: number | undefined;
  readonly origin: Origin;
}

type Order = EmbeddingRecipe["order"];

class Embedding {
  /** The original's lists, one per member; empty unless its batches or their order matter. */
  private readonly files: readonly SequenceFile[];
  private readonly batches: OriginalBatches | undefined;
  private readonly lineAt = new Map<SequenceFile, (position: number) => number>();

  constructor(
    private readonly context: SettingContext,
    private readonly recipe: EmbeddingRecipe,
  ) {
    const { task, model, protocol } = context;
    const { extractionBatchSize, order, bothOrders } = recipe;
    const padded = protocol === "paper" && OriginalBatches.vary(model);
    this.batches = padded ? new OriginalBatches(model, extractionBatchSize) : undefined;
    this.files = padded || order === "text" || bothOrders ? sequenceFiles(task) : [];
    for (const file of this.files) this.lineAt.set(file, textOrder(file.lines, extractionBatchSize));
  }

  async answer(examples: readonly Example[]): Promise<readonly Prediction[]> {
    const { order, bothOrders } = this.recipe;
    const other = order === "file" ? "text" : "file";
    const members = this.context.task.task.members.length;
    const queries = await this.queriesFor(examples, order);
    const count = queries.length;
    if (bothOrders) queries.push(...(await this.queriesFor(examples, other)));
    const vectors = await this.vectorsOf(queries);
    return examples.map((example, i) => {
      const own = vectors.slice(i * members, (i + 1) * members);
      const others = vectors.slice(count + i * members, count + (i + 1) * members);
      return this.prediction(example, own, bothOrders ? [`${other}-order`, others] : undefined);
    });
  }

  private prediction(
    { row, facts }: Example,
    own: readonly Float64Array[],
    others: readonly [variant: EmbeddingVariant, vectors: readonly Float64Array[]] | undefined,
  ): Prediction {
    if (this.recipe.answer === "vector") {
      const byVariant = others && { byVariant: { [others[0]]: others[1].map(base64Of) } };
      return { kind: "vector", row, vectors: own.map(base64Of), ...byVariant, facts };
    }
    const paper = this.context.protocol === "paper";
    const between = (vectors: readonly Float64Array[], distance: typeof cosineDistance) =>
      this.distances(vectors, distance, row);
    const [published, precise] = [between(own, paperCosineDistance), between(own, cosineDistance)];
    const byVariant = {
      ...(paper ? { float64: precise } : { float32: published }),
      ...(others && { [others[0]]: between(others[1], paper ? paperCosineDistance : cosineDistance) }),
    };
    return { kind: "distance", row, values: paper ? published : precise, byVariant, facts };
  }

  private distances(
    [first, ...rest]: readonly Float64Array[],
    distance: typeof cosineDistance,
    row: number,
  ): readonly number[] {
    return rest.map((vector) => {
      const value = distance(first, vector);
      if (!Number.isNaN(value)) return value;
      throw new InputError(
        `the model ${JSON.stringify(this.context.model.name)} returned a vector of zeros for row ${row}, whose cosine distance is undefined`,
        { hint: "finished rows are stored" },
      );
    });
  }

  /** Sequences of all members of all examples, in this order of vectors. */
  private async queriesFor(examples: readonly Example[], order: Order): Promise<Query[]> {
    const { members, name: task } = this.context.task.task;
    const sequences = examples.flatMap((example) =>
      members.map((_, member) => ({ example, member, file: this.files[member] })),
    );
    const lines = sequences.map(({ example, member, file }) => {
      const line = file?.lineOf(example.row, member);
      return line === undefined || order === "file" ? line : valueAt(this.lineAt, file)(line);
    });
    const found = order === "file" ? undefined : await this.sequencesAt(sequences, lines);
    return Promise.all(
      sequences.map(async ({ example, member, file }, i) => {
        const { bases, ...origin } = found?.[i] ?? {
          bases: example.sequences[member],
          row: example.row,
          member,
        };
        const padTo = file && (await this.batches?.tokensOf(file, lines[i]));
        return { bases, padTo, origin: { task, ...origin } };
      }),
    );
  }

  private async sequencesAt(
    sequences: readonly { readonly file: SequenceFile | undefined }[],
    lines: readonly (number | undefined)[],
  ) {
    const found = new Array<Awaited<ReturnType<SequenceFile["at"]>>[number]>(sequences.length);
    for (const file of new Set(this.files)) {
      const here = lines.flatMap((line, i) =>
        line === undefined || sequences[i].file !== file ? [] : [{ line, i }],
      );
      const ofFile = await file.at(here.map(({ line }) => line));
      here.forEach(({ i }, k) => {
        found[i] = ofFile[k];
      });
    }
    return found;
  }

  /** One vector per sequence, [width]. */
  private async vectorsOf(queries: readonly Query[]): Promise<readonly Float64Array[]> {
    const { model, batchSize, signal } = this.context;
    const { first, of } = distinct(
      model,
      queries.map(({ bases, padTo }) => `${padTo ?? ""} ${bases}`),
    );
    const vectors = new Array<Float64Array>(first.length);
    // Sequences with the same padding form batches; without padding that is all of them.
    const groups = new Map<number | undefined, number[]>();
    first.forEach((at, i) => {
      const { padTo } = queries[at];
      groups.set(padTo, [...(groups.get(padTo) ?? []), i]);
    });
    for (const group of groups.values()) {
      for (let start = 0; start < group.length; start += batchSize) {
        signal?.throwIfAborted();
        const call = group.slice(start, start + batchSize);
        const given = await this.pool(call.map((i) => queries[first[i]]));
        call.forEach((i, k) => {
          vectors[i] = given[k];
        });
      }
    }
    return of.map((i) => vectors[i]);
  }

  private async pool(queries: readonly Query[]): Promise<readonly Float64Array[]> {
    const { model, protocol, signal } = this.context;
    const { padTo } = queries[0];
    const given = await poolSequences(
      model,
      queries.map(({ bases }) => bases),
      {
        protocol,
        over: this.recipe.pooling,
        origins: queries.map(({ origin }) => origin),
        ...withoutUndefined({ padTo, signal }),
      },
    );
    const who = `the model ${JSON.stringify(model.name)}`;
    if (given?.length !== queries.length) {
      throw new InputError(
        `${who} returned ${given?.length ?? String(given)} vectors for ${queries.length} sequences`,
        { hint: "pool(sequences) returns one vector per sequence, in their order" },
      );
    }
    given.forEach((vector, i) => {
      const { row } = queries[i].origin;
      if (vector.length !== given[0].length || vector.length === 0) {
        throw new InputError(
          `${who} returned a vector of ${vector.length} numbers for row ${row}, after one of ${given[0].length}`,
        );
      }
      const wrong = vector.find((value) => !Number.isFinite(value));
      if (wrong === undefined) return;
      throw new InputError(`${who} returned a vector with ${wrong} for row ${row}`, {
        hint: "expected finite numbers; finished rows are stored",
      });
    });
    return given;
  }
}
