import type { StageProgress } from "../tasks/stage-progress.ts";

/** What a run tells while it goes. Counts are of this shard unless said otherwise. */
export type ProgressEvent =
  | {
      readonly kind: "cell-start";
      /** The folder's name: first eight hexadecimal digits of the cell's identity. */
      readonly cell: string;
      readonly task: string;
      /** The name of the data set where the task has several. */
      readonly dataset?: string;
      readonly model: string;
      readonly setting: string;
      readonly rows: number;
      readonly rowsDoneBefore: number;
      readonly batchSize: number;
    }
  | {
      readonly kind: "batch";
      readonly cell: string;
      /** 0-based number of the batch in the shard, those done before included. */
      readonly batch: number;
      readonly rows: number;
      readonly rowsDone: number;
      /** Over the last batches; undefined until there is something to divide by. */
      readonly rowsPerSecond: number | undefined;
      readonly secondsLeft: number | undefined;
    }
  | ({
      /** Work before the first row is answered, such as training, or after the last, such as clustering. */
      readonly kind: "stage";
      readonly cell: string;
    } & StageProgress)
  | { readonly kind: "note"; readonly cell: string; readonly text: string }
  | { readonly kind: "cell-done"; readonly cell: string; readonly rows: number; readonly seconds: number };

export type OnProgress = (event: ProgressEvent) => void;
