import type { NdArray } from "../../net/arrays/array.ts";
import type { BatchPart, BatchPlace, Feeds } from "../../net/train/batches.ts";
import type { Supervision } from "../tasks/task.ts";
import type { KeptRows, Parting } from "./learner.ts";
import { labelsArray } from "./supervision.ts";

/**
 * Inputs of some rows with their labels.
 * @param member  the one that is wanted; else all, member after member of each row
 */
export async function labelledFeeds(
  supervision: Supervision,
  rows: KeptRows,
  places: Int32Array,
  member?: number,
): Promise<Feeds> {
  const labels = [...places].flatMap((place) => {
    const ofMembers = rows.examples[place]!.labels;
    return member === undefined ? ofMembers : [ofMembers[member]!];
  });
  return { ...(await rows.feeds(places, member)), labels: labelsArray(supervision, labels) };
}

export interface WholeBatch {
  readonly places: Int32Array;
  readonly place: BatchPlace;
  readonly members: number;
  /** Most of a part. */
  readonly rows: number;
}

/**
 * A batch cut into parts. The loss of a part is a mean over its sequences, and counts with `share`: its share of the batch's
 * rows, once for each member in it. So the parts' losses add up to the sum over the members of their means over the batch.
 */
export function partsOf(
  supervision: Supervision,
  kept: KeptRows,
  parting: Parting | undefined,
  { places, place, members, rows }: WholeBatch,
): readonly BatchPart[] {
  const starts = Array.from({ length: Math.ceil(places.length / rows) }, (_, i) => i * rows);
  const groups = parting === undefined ? [undefined] : Array.from({ length: members }, (_, i) => i);
  return groups.flatMap((member) =>
    starts.map((from) => async () => {
      const some = places.subarray(from, from + rows);
      const feeds = await labelledFeeds(supervision, kept, some, member);
      const counted = (some.length / places.length) * (member === undefined ? members : 1);
      const share: NdArray = { dtype: "float32", shape: [], data: Float32Array.of(counted) };
      const beside = member === undefined ? {} : parting?.feeds({ ...place, member, from }, feeds);
      return { ...feeds, share, ...beside };
    }),
  );
}
