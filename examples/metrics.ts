// Computes metrics with confidence intervals for independent rows and for rows along a genome, and compares
// two models.
//   npx tsx examples/metrics.ts
import * as base from "dart-eval/base";
import * as metrics from "dart-eval/metrics";

// 2,000 windows of 500 bp in clusters of 20 that share a part of their score, as regulatory elements do.
const rng = new base.Pcg64(7);
const rows = Array.from({ length: 2000 }, (_, row) => ({ label: row % 2, cluster: Math.floor(row / 20) }));
const shared = Array.from({ length: 100 }, () => base.normal(rng));
const labels = rows.map(({ label }) => label);
const scores = rows.map(({ label, cluster }) => label * (1 + shared[cluster]) + base.normal(rng));
const noisier = scores.map((score) => score + base.normal(rng));
const positions = rows.map(({ cluster }, row) => {
  const start = cluster * 2_000_000 + (row % 20) * 600;
  return { chrom: "chr5", start, end: start + 500 };
});

const show = (name: string, { value, low, high, method }: metrics.Estimate) =>
  console.log(`${name} ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] ${method}`);

show("auroc", metrics.estimate("auroc", scores, labels));
show("auroc", metrics.estimate("auroc", scores, labels, { positions }));
show("average-precision", metrics.estimate("average-precision", scores, labels, { positions }));

const { difference, p } = metrics.compare("auroc", scores, noisier, labels, { positions });
show("difference", difference);
console.log(`p ${p.toExponential(1)}`);
