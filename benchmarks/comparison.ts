import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { scriptArguments, wholeNumber } from "../scripts/arguments.ts";
import { comparisonPage, PARTS, type PartName } from "./comparison/page.ts";

/**
 * Simulates comparisons of models: error rates and power of the tests, coverage of intervals, tie groups and
 * ranks, and looks at a growing number of rows.
 *
 * Without `--write`, simulates a part (pairs, families, tasks, sequences; default: all) or some of its
 * designs, numbered from 0, and appends a line per design to a file in the folder of results: processes may
 * share it. With `--write`, makes the page of the parts that have results.
 */
const { values } = scriptArguments(
  "npx tsx benchmarks/comparison.ts [--replicates 1000] [--seed 1] [--part NAME] [--design NUMBERS] [--results FOLDER] [--write FILE]",
  {
    replicates: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    part: { type: "string" },
    design: { type: "string" },
    results: { type: "string", default: "comparison-results" },
    write: { type: "string" },
  },
);

const names = Object.keys(PARTS) as PartName[];
const file = (name: PartName) => join(values.results, `${name}.jsonl`);
if (values.write === undefined) {
  await mkdir(values.results, { recursive: true });
  const replicates = wholeNumber(values.replicates, "--replicates");
  for (const name of names.filter((one) => values.part === undefined || values.part === one)) {
    const { designs, measure } = PARTS[name];
    const chosen = values.design?.split(",").map(Number) ?? [...designs.keys()];
    for (const design of chosen) {
      const result = measure(designs[design] as never, replicates, wholeNumber(values.seed, "--seed"));
      const line = JSON.stringify({ design, ...result, replicates });
      console.log(name, line);
      await appendFile(file(name), `${line}\n`);
    }
  }
} else {
  const resultsOf = async (name: PartName) => {
    if (!existsSync(file(name))) return [];
    const lines = (await readFile(file(name), "utf8")).split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line)).sort((a, b) => a.design - b.design);
  };
  const found = await Promise.all(names.map(async (name) => [name, await resultsOf(name)] as const));
  await writeFile(values.write, comparisonPage(Object.fromEntries(found) as never));
}
