/** What came out of one epoch. */
export interface EpochRecord {
  /** 0-based, as the original counts. */
  readonly epoch: number;
  /** Mean loss of the epoch's training examples, each as it was when its batch was seen. */
  readonly trainLoss: number;
  /** Results of the validation pass by column of `train.log`, `val_loss` among them. */
  readonly validation: Readonly<Record<string, number>>;
}

/** What a training tells while it goes. */
export type FitEvent =
  | {
      readonly kind: "resumed";
      /** The first epoch and batch that are still to be computed, 0-based. */
      readonly epoch: number;
      readonly batch: number;
    }
  | {
      readonly kind: "batch";
      readonly epoch: number;
      readonly epochs: number;
      readonly batch: number;
      readonly batches: number;
      /** Examples of the epoch, and those of them that were seen. */
      readonly examples: number;
      readonly seen: number;
      readonly loss: number;
      readonly examplesPerSecond: number;
      /** To the last epoch, validation included; early stopping may come sooner. */
      readonly secondsLeft: number;
    }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly best: boolean };

/**
 * The epoch that is kept: the first with the smallest validation loss.
 *
 * @returns  undefined when there is no epoch
 */
export function bestEpoch(history: readonly EpochRecord[]): EpochRecord | undefined {
  return history.reduce<EpochRecord | undefined>(
    (best, record) =>
      best === undefined || record.validation.val_loss! < best.validation.val_loss! ? record : best,
    undefined,
  );
}

/** The text of `train.log`: a header, then a line per epoch, separated by tabs. */
export function trainLog(history: readonly EpochRecord[]): string {
  const columns = Object.keys(history[0]?.validation ?? {});
  const lines = history.map(({ epoch, validation }) => [epoch, ...columns.map((name) => validation[name]!)]);
  return [["epoch", ...columns], ...lines].map((cells) => `${cells.join("\t")}\n`).join("");
}
