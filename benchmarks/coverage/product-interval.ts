import { averagePrecisionOver } from "../../src/metrics/auprc.ts";
import { aurocOver } from "../../src/metrics/auroc.ts";
import { blockEstimate } from "../../src/metrics/block-estimate.ts";
import { type BlockStatistic, type Blocks, blocksBy, genomicBlocks } from "../../src/metrics/blocks.ts";
import { clusteredProportion } from "../../src/metrics/clustered-proportion.ts";
import { pearsonOver, spearmanOver } from "../../src/metrics/correlation.ts";
import type { Estimate } from "../../src/metrics/intervals.ts";
import { matthewsOver } from "../../src/metrics/matthews.ts";
import { meanOver } from "../../src/metrics/mean.ts";
import type { Design } from "./designs.ts";
import type { Sample } from "./simulate.ts";

/** The interval that the tasks compute and print for such rows. */
export function productInterval({ layout, target }: Design, sample: Sample): Estimate {
  const { x, y } = sample;
  const blocks = "groups" in layout ? blocksBy(sample.chromosome, "background") : placed(sample);
  const over = (statistic: BlockStatistic, range?: readonly [number, number]) =>
    blockEstimate(blocks, statistic, range === undefined ? {} : { range });
  switch (target.metric) {
    case "share":
      return clusteredProportion(x, blocks);
    case "mean":
      return over(meanOver(x, blocks), target.skewed ? [0, Number.POSITIVE_INFINITY] : undefined);
    case "auroc":
      return over(aurocOver(x, y, blocks), [0, 1]);
    case "auprc":
      return over(averagePrecisionOver(x, y, blocks), [0, 1]);
    case "mcc":
      return over(matthewsOver(x, y, blocks), [-1, 1]);
    case "pearson":
      return over(pearsonOver(x, y, blocks), [-1, 1]);
    case "spearman":
      return over(spearmanOver(x, y, blocks), [-1, 1]);
  }
}

function placed({ chromosome, position }: Sample): Blocks {
  return genomicBlocks(
    Array.from(position, (start, i) => ({ chrom: `chr${chromosome[i] + 1}`, start, end: start + 1 })),
  );
}
