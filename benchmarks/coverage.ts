import { writeFile } from "node:fs/promises";
import { scriptArguments, wholeNumber } from "../scripts/arguments.ts";
import { coverageTable, summaryOf } from "./coverage/coverage-table.ts";
import { DESIGNS, designTitle } from "./coverage/designs.ts";
import { measureCoverage } from "./coverage/measure-coverage.ts";

/**
 * Measures the coverage of the product's 95 % intervals. `--only` takes the designs whose title contains the
 * text. The intervals were developed on seed 0; the committed table is of another seed.
 */
const { values } = scriptArguments(
  "npx tsx benchmarks/coverage.ts [--replicates 1000] [--seed 0] [--only TEXT] [--write FILE]",
  {
    replicates: { type: "string", default: "1000" },
    seed: { type: "string", default: "0" },
    only: { type: "string", default: "" },
    write: { type: "string" },
  },
);

const chosen = DESIGNS.filter((design) => designTitle(design).includes(values.only));
const results = chosen.map((design) => {
  const result = measureCoverage(design, wholeNumber(values.replicates, "--replicates"), Number(values.seed));
  const flagged = result.given < result.replicates ? `, ${result.replicates - result.given} flagged` : "";
  console.log(
    `${(100 * result.covered).toFixed(1)} %  ${result.title} (${result.blocks ?? "groups"}${flagged})`,
  );
  return result;
});
console.log(summaryOf(results));
if (values.write !== undefined) await writeFile(values.write, coverageTable(results, values.seed));
