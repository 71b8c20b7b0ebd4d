/** How far work is that takes long beside the answering of rows: training, clustering. */
export interface StageProgress {
  /** In words, the same while the stage lasts: "embedding the training rows", "training, epoch 3 of 150". */
  readonly stage: string;
  /** Which part of training, where something is trained. */
  readonly phase?: "keeping" | "training" | "validating";
  /** What is counted; rows where it is absent. */
  readonly unit?: "rows" | "clusterings";
  readonly done: number;
  readonly total: number;
  /** Of whatever is counted. */
  readonly rowsPerSecond: number | undefined;
  /** To the end of all training, or of this stage where nothing is trained; undefined until it is known. */
  readonly secondsLeft: number | undefined;
  /** Something to be told once, such as the losses of an epoch. */
  readonly note?: string;
}
