// Size and speed of the report's page with all rows of the African caQTLs: 219,382 variants and 6 models.
//   npm run bench -- report
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { sha256Hex } from "../src/base/digest.ts";
import { Pcg64 } from "../src/base/pcg64.ts";
import { normal } from "../src/base/random.ts";
import { cellResult, measureCell } from "../src/evaluation/runs/merge.ts";
import type { StoredResult } from "../src/evaluation/runs/stored-results.ts";
import type { LikelihoodPrediction } from "../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../src/evaluation/tasks/prediction-columns.ts";
import { variantEffects } from "../src/evaluation/tasks/variant-effects/variant-effects.ts";
import { renderPage } from "../src/report/page.ts";
import { gatherReport } from "../src/report/report.ts";
import { builtAssets } from "../test/report/page-assets.ts";
import type { Benchmark } from "./measure.ts";

const ROWS = 219_382;
const MODELS = 6;
const BASES = "ACGT";

/** Variants along 22 chromosomes; a third of them QTLs, whose effect moves the score. */
function predictionsOf(model: number): PredictionColumns {
  const facts = new Pcg64(1);
  const scores = new Pcg64(100 + model);
  let position = 0;
  let chromosome = 1;
  return PredictionColumns.of(
    Array.from({ length: ROWS }, (_, row): LikelihoodPrediction => {
      const next = 1 + Math.floor((22 * row) / ROWS);
      position = next === chromosome ? position + 1 + Math.floor(20_000 * facts.nextFloat64()) : 10_000;
      chromosome = next;
      const first = Math.floor(4 * facts.nextFloat64());
      const second = (first + 1 + Math.floor(3 * facts.nextFloat64())) % 4;
      const significant = facts.nextFloat64() < 0.03 ? 1 : 0;
      const effect = normal(facts);
      const difference = 3 * normal(scores) + (significant ? 2 * effect : 0);
      const whole = -2800 + 20 * normal(scores);
      return {
        kind: "likelihood",
        row,
        values: [whole, whole + difference],
        facts: {
          chrom: `chr${chromosome}`,
          start: position,
          end: position + 1,
          allele1: BASES[first],
          allele2: BASES[second],
          reference: 1,
          original: "same",
          form: "caqtl",
          favours: "alternative",
          significant,
          used: 1,
          inPeaks: 1,
          effect,
          unknown: 0,
        },
      };
    }),
  );
}

/** Size of the page, and times to write it, to open it, and to filter and sort its rows. */
export const benchmark: Benchmark = async () => {
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-report-"));
  const predictions = new Map<string, PredictionColumns>();
  const results: StoredResult[] = [];
  for (let model = 0; model < MODELS; model++) {
    const name = `model-${model + 1}`;
    const columns = predictionsOf(model);
    const identity = sha256Hex(name);
    const record = {
      identity,
      cell: {
        identityVersion: 1,
        task: variantEffects.name,
        taskVersion: variantEffects.version,
        dataset: "african-caqtls",
        model: { name, identity: name },
        setting: "zero-shot",
        protocol: "corrected",
        seed: 0,
        split: "all",
        limit: null,
        recipe: { score: "alleles" },
        data: { variants: sha256Hex("variants"), genome: sha256Hex("genome") },
      },
      rows: { inTable: ROWS, selected: ROWS, digest: sha256Hex("rows") },
      origins: { genome: { file: "hg38.fa", source: "hg38" } },
    } as const;
    const place = join(folder, name);
    predictions.set(place, columns);
    results.push({
      folder: place,
      result: cellResult(record, await measureCell(variantEffects, record, columns)),
      timing: [],
    });
  }

  const rows: { readonly step: string; readonly measured: string }[] = [];
  const timed = async <T>(step: string, work: () => T | Promise<T>): Promise<T> => {
    const from = performance.now();
    const found = await work();
    rows.push({ step, measured: `${((performance.now() - from) / 1000).toFixed(2)} s` });
    return found;
  };
  const report = await timed("rows of 6 models as views", () =>
    gatherReport(results, { predictions: async (stored) => predictions.get(stored.folder) }),
  );
  const assets = await builtAssets();
  const page = await timed("page with figures and compressed rows", () => renderPage(report, assets));
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
  console.log(
    `${"page".padEnd(42)} ${megabytes(Buffer.byteLength(page))}, gzip ${megabytes(gzipSync(page).length)}`,
  );

  const file = join(folder, "report.html");
  await writeFile(file, page);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  const opened = await browser.newPage();
  await timed("browser: first view", () => opened.goto(pathToFileURL(file).href, { waitUntil: "load" }));
  await timed("browser: rows unpacked and listed", async () => {
    await opened.evaluate("location.hash = 'rows'");
    await opened.locator("table.rows tbody tr:nth-child(5)").waitFor();
  });
  /** Milliseconds of the slowest of five changes of an input, until the table has the rows. */
  const change = (name: string, values: readonly string[]) =>
    opened.evaluate(
      `Math.max(...${JSON.stringify(values)}.map((value) => {
        const input = document.querySelector(".row-filter [name=${name}]");
        const from = performance.now();
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        return performance.now() - from;
      }))`,
    ) as Promise<number>;
  const shown = (what: string, milliseconds: number) =>
    rows.push({ step: what, measured: `${milliseconds.toFixed(0)} ms` });
  shown("filter by locus", await change("locus", ["chr1", "chr2:1-50,000,000", "chr22", "chr7", ""]));
  shown("filter by range of a score", await change("least", ["-1", "0", "2", "5", ""]));
  for (const [what, heading] of [
    ["sort by a score", "model-1"],
    ["sort by locus", "locus"],
  ] as const) {
    const click = `(() => { const from = performance.now(); [...document.querySelectorAll("table.rows thead button")].find((one) => one.textContent === "${heading}").click(); return performance.now() - from; })()`;
    shown(what, Math.max(Number(await opened.evaluate(click)), Number(await opened.evaluate(click))));
  }
  await browser.close();
  await rm(folder, { recursive: true });
  return rows;
};
