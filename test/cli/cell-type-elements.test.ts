import { existsSync, readdirSync } from "node:fs";
import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dispatch } from "../../src/cli/dispatch.ts";
import { Interrupted } from "../../src/cli/failure.ts";
import { CELL_LINES } from "../../src/datasets/cell-lines.ts";
import { filesOfBuild } from "../../src/datasets/cell-type-elements/build.ts";
import { readCellTypeElements } from "../../src/datasets/cell-type-elements/table.ts";
import { scratchFiles } from "../scratch-files.ts";
import { testWithSharedData } from "../shared-data.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { collectingTerminal, runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();
const building = (out: string, ...more: readonly string[]) => [
  ...["build", "cell-type-elements", "--out", scratch.path(out), ...more],
];

const SAMPLES = CELL_LINES.flatMap((line) => [`${line}_1`, `${line}_2`]);

/** Ten peaks, two of each line. */
const countsFile = () =>
  scratch.write(
    "counts.csv",
    [
      ["peak", ...SAMPLES],
      ...Array.from({ length: 10 }, (_, i) => [
        `chr${i < 5 ? 1 : 5}:${1000 * i}-${1000 * i + 500}`,
        ...SAMPLES.map((sample) => (sample.startsWith(CELL_LINES[i % 5]) ? 300 : 10)),
      ]),
    ]
      .map((fields) => `${fields.join(",")}\n`)
      .join(""),
  );

/** Replaces Rscript: peaks with a count above 100 in a sample of the condition are significant. */
const RSCRIPT = `#!/bin/sh
# $2 is the script, $3 the counts, $4 the design, $5 the results.
line=$(grep -v other "$4" | sed -n '2p' | cut -d, -f2)
awk -F, -v line="$line" '
  NR == 1 { for (i = 2; i <= NF; i++) if (index($i, line) == 1) own = i
    print "peak,baseMean,log2FoldChange,lfcSE,stat,pvalue,padj"; next }
  { print $1 ",50," ($own > 100 ? "4,0.1,9,0,1e-30" : "-1,0.1,1,NA,NA") }' "$3" > "$5"
echo "stand-in 1.0"
`;

test("builds table and clustering rows from counts, and prints the next command", async () => {
  const rscript = await scratch.write("rscript", RSCRIPT);
  await chmod(rscript, 0o755);
  const words = building("task3", "--counts", await countsFile(), "--rscript", rscript, "--subset-size", "1");
  const first = await runCommand(words);
  expect([first.said, first.exitCode]).toEqual([
    expect.stringContaining("10 elements (GM12878 2, H1ESC 2, HEPG2 2, IMR90 2, K562 2)"),
    0,
  ]);
  expect(first.said).toContain("next: dart-eval run --task cell-type-elements --data elements=");
  const { table } = filesOfBuild(scratch.path("task3"));
  expect((await readCellTypeElements(table)).map(({ label }) => label)).toEqual([
    ...CELL_LINES,
    ...CELL_LINES,
  ]);
  const again = await runCommand(words);
  expect(again.said).not.toMatch(/^ {2}done/m);
  expect(again.said.match(/already done/g)).toHaveLength(13);
});

testWithSharedData("consensus peaks alone", "task3/input/K562.narrowPeak", async (peaks) => {
  const { exitCode, said } = await runCommand(building("peaks", "--peaks", peaks, "--last", "peaks"));
  expect([exitCode, said]).toEqual([0, expect.stringContaining("consensus of 1 peak files")]);
});

test("reports errors before it starts", async () => {
  const without = await runCommand(building("no"));
  expect([without.exitCode, without.said]).toEqual([2, expect.stringContaining("no peak file")]);
  const unnamed = await runCommand(building("no", "--peaks", "a", "--bam", "reads.bam"));
  expect(unnamed.said).toContain("LINE=file");
  const both = await runCommand(building("no", "--peaks", "a", "--counts", await countsFile()));
  expect(both.said).toContain("replaces peaks and BAM files");
  const noR = await runCommand(
    building("no", "--counts", await countsFile(), "--rscript", join("/nowhere", "Rscript")),
  );
  expect([noR.exitCode, noR.said]).toEqual([2, expect.stringContaining("r-bioc-deseq2")]);
});

test("an interrupted clustering resumes to the same result", async () => {
  const files = await sharedGenome({ seed: 0, scale: 0.1 });
  const running = (out: string) => [
    ...["run", "--task", "cell-type-elements", "--setting", "zero-shot-embedding", "--genome", files.genome],
    ...["--data", files.cellTypePeaks, "--model", `motif-counts:p=1e-3,${files.motifs}`],
    ...["--recipe", "clusterSeeds=40", "--limit", "300", "--out", scratch.path(out)],
  ];
  const plan = await runCommand([...running("plan"), "--plan"]);
  expect(plan.printed).toContain("then    clustering of all rows");

  const terminal = collectingTerminal();
  const controller = new AbortController();
  // Like Ctrl-C, the abort comes from the event loop, to which clustering must yield.
  const watch = setInterval(() => {
    const cells = existsSync(scratch.path("stopped")) ? readdirSync(scratch.path("stopped")) : [];
    if (!cells.some((cell) => existsSync(scratch.path(join("stopped", cell, "clusterings.jsonl"))))) return;
    controller.abort(new Interrupted("SIGINT"));
  }, 1);
  const exitCode = await dispatch(running("stopped"), terminal, controller.signal);
  clearInterval(watch);
  expect(terminal.said.join("\n")).toContain(
    "motif-counts-0.001 under the corrected protocol, clustering into 50",
  );
  expect([exitCode, terminal.said.at(-1)]).toEqual([
    130,
    expect.stringContaining("Run the same command again to resume."),
  ]);
  const [cell] = (await readdir(scratch.path("stopped"))).filter((name) => /^[0-9a-f]{8}$/.test(name));
  const inCell = (out: string, name: string) => scratch.path(join(out, cell, name));
  expect(await readdir(inCell("stopped", ""))).not.toContain("result.json");
  const lines = async () =>
    (await readFile(inCell("stopped", "clusterings.jsonl"), "utf8")).split("\n").length - 1;
  const before = await lines();
  expect(before > 0 && before < 40).toBe(true);

  expect((await runCommand(running("stopped"))).exitCode).toBe(0);
  expect(await lines()).toBe(80);
  expect((await runCommand(running("whole"))).exitCode).toBe(0);
  const result = (out: string) => readFile(inCell(out, "result.json"), "utf8");
  expect(await result("stopped")).toBe(await result("whole"));
});
