import type { Coverage } from "./measure-coverage.ts";

/** Bounds of an acceptable coverage. */
const WITHIN = [0.935, 0.965] as const;

/** Flagged share above which a design counts as flagged. */
const isFlagged = ({ given, replicates }: Coverage) => given < replicates / 2;

/** Number of designs by coverage. */
export function summaryOf(results: readonly Coverage[]): string {
  const judged = results.filter((result) => !isFlagged(result));
  const within = judged.filter(({ covered }) => covered >= WITHIN[0] && covered <= WITHIN[1]);
  const shares = judged.map(({ covered }) => covered);
  return [
    `${results.length} designs, ${results.length - judged.length} of them flagged as not reliable.`,
    `Coverage from ${percent(WITHIN[0])} to ${percent(WITHIN[1])} in ${within.length} of ${judged.length} (${percent(within.length / judged.length)});`,
    `least ${percent(Math.min(...shares))}, most ${percent(Math.max(...shares))}.`,
  ].join(" ");
}

/** The whole table as Markdown. */
export function coverageTable(results: readonly Coverage[], seed: string): string {
  const lines = results.map((result) => {
    const { title, given, replicates, covered, above, below, width, blocks } = result;
    const cells = [covered, above, below].map((share) => (given === 0 ? "–" : percent(share)));
    const flagged = given === replicates ? "" : percent(1 - given / replicates);
    return `| ${[title, ...cells, given === 0 ? "–" : width.toPrecision(2), blocks ?? "–", flagged].join(" | ")} |`;
  });
  const replicates = results[0]?.replicates ?? 0;
  return `# Coverage of the intervals

\`npx tsx benchmarks/coverage.ts --replicates ${replicates} --seed ${seed} --write docs/interval-coverage.md\` writes this page.
Each design is simulated ${replicates} times; the 95 % interval that the product prints should hold the true value in 95 % of
the simulations. The standard error of a coverage is ${percent(Math.sqrt((0.95 * 0.05) / replicates))}. The intervals were developed on other seeds. "Flagged"
is the share of simulations whose interval is printed as not reliable or not given; the other columns are of the rest. A design
with more than half of its simulations flagged counts as flagged.

${summaryOf(results)}

| design | coverage | interval above the truth | below | mean length | blocks | flagged |
|---|---|---|---|---|---|---|
${lines.join("\n")}
`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
