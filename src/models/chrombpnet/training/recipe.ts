import type { BpnetSizes } from "../bpnet.ts";
import { ACCESSIBILITY_SIZES, BIAS_SIZES } from "../bpnet.ts";

/** How a ChromBPNet is trained: everything that decides the result beside the data. */
export interface ChrombpnetRecipe {
  readonly bias: BpnetSizes;
  readonly accessibility: BpnetSizes;
  /**
   * Non-peaks with fewer reads than this part of the 1 % quantile of the peaks' reads train the bias; published for ATAC-seq 0.5,
   * for DNase-seq 0.8.
   */
  readonly biasThreshold: number;
  /** Regions with as many reads as this quantile or more are left out, and with as few as its complement or fewer. */
  readonly outlierQuantile: number;
  /** Non-peaks per peak, in training and in validation. */
  readonly negativesPerPeak: number;
  /** Bases that the window around a training peak may be moved at random, to either side; non-peaks stay in their place. */
  readonly jitter: number;
  /** The same of the non-peaks that train the bias. */
  readonly biasJitter: number;
  /** Weight of the squared error of the log counts in the loss, per median read of the regions; the weight is 1 at least. */
  readonly countsWeight: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Ends a training after so many epochs without a smaller validation loss. */
  readonly patience: number;
  readonly seed: number;
}

/** The defaults of kundajelab/chrombpnet. */
export const PUBLISHED_RECIPE: ChrombpnetRecipe = {
  bias: BIAS_SIZES,
  accessibility: ACCESSIBILITY_SIZES,
  biasThreshold: 0.5,
  outlierQuantile: 0.9999,
  negativesPerPeak: 0.1,
  jitter: 500,
  biasJitter: 0,
  countsWeight: 0.1,
  learningRate: 1e-3,
  batchSize: 64,
  epochs: 50,
  patience: 5,
  seed: 1234,
};

/** Keras' Adam: ε is 10⁻⁷ there. It is added before the second moment's correction, here after it, which moves no digit that matters. */
export const ADAM_EPSILON = 1e-7;
