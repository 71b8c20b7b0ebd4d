// Computes your own metric with its interval over blocks of a genome, from a function of how often each block
// is counted. This one is the share of positives among the highest tenth of the scores.
//   npx tsx examples/own-metric.ts
import * as base from "dart-eval/base";
import * as metrics from "dart-eval/metrics";

const rng = new base.Pcg64(3);
const rows = Array.from({ length: 2000 }, (_, row) => {
  const label = row % 5 === 0 ? 1 : 0;
  const start = Math.floor(row / 10) * 500_000 + (row % 10) * 600;
  return { label, score: label + base.normal(rng), chrom: "chr5", start, end: start + 500 };
});
const blocks = metrics.genomicBlocks(rows);
const byScore = rows.map((row, i) => ({ ...row, block: blocks.of[i] })).sort((a, b) => b.score - a.score);

/** @param times  how often each block is counted: all once, or one left out */
function precisionAtTop(times: Int32Array): number {
  const counted = byScore.filter(({ block }) => times[block] > 0);
  const top = counted.slice(0, Math.ceil(counted.length / 10));
  return top.filter(({ label }) => label === 1).length / top.length;
}

const { value, low, high, basis } = metrics.blockEstimate(blocks, precisionAtTop, { range: [0, 1] });
console.log(
  `precision in the top tenth ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] over ${basis?.blocks} blocks`,
);
